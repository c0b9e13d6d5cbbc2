@echo off
rem Runs the tool from a clone, building it where that is needed.
dotnet run -c Release -v quiet --project "%~dp0..\src\Lacos.Cli" -- %*
