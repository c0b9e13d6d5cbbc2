@echo off
rem Runs the tool from a clone, building it where that is needed; what the build says goes to standard error, away from the tool's data.
setlocal
set "project=%~dp0..\src\Lacos.Cli"
dotnet build "%project%" -c Release --nologo -v quiet 1>&2
if errorlevel 1 (
    echo lacos: the build failed, see above. 1>&2
    exit /b 1
)
dotnet "%project%\bin\Release\net10.0\lacos.dll" %*
exit /b %errorlevel%
