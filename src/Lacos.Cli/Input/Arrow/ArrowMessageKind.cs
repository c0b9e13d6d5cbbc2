namespace Lacos.Cli.Input.Arrow;

/// <summary>Kinds of Arrow messages, by their numbers in the format; others are not read.</summary>
internal enum ArrowMessageKind
{
    /// <summary>None.</summary>
    None,

    /// <summary>The columns of a table.</summary>
    Schema,

    /// <summary>Values of a dictionary.</summary>
    DictionaryBatch,

    /// <summary>Rows.</summary>
    RecordBatch,
}
