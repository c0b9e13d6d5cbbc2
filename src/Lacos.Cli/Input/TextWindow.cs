namespace Lacos.Cli.Input;

/// <summary>Consecutive records, few enough to hold in memory.</summary>
/// <param name="Rows">Values of the wanted columns, [records, columns] row-major.</param>
/// <param name="Count">Records.</param>
/// <param name="Places">Where each record stands, for messages; empty where no message needs it.</param>
/// <param name="EndPosition">Bytes of the file read when the window was full.</param>
internal sealed record TextWindow(string?[] Rows, int Count, string[] Places, long EndPosition);
