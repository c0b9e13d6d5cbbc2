namespace Microsoft.ML.Lacos.Mini;

/// <summary>The default model: an int8 multilingual BLOOM of 22 M parameters, fine-tuned by the method of this project, embedded in this assembly as one <c>.lacos</c> file.</summary>
public static class BloomMini
{
    /// <summary>Name by which the model is reported.</summary>
    public const string Name = "lacos-bloom-mini";

    /// <summary>Opens the <c>.lacos</c> file.</summary>
    /// <returns>
    /// A seekable stream. Where the runtime maps the assembly it is an <see cref="UnmanagedMemoryStream"/> over the mapping,
    /// so that reading through its pointer copies nothing; the memory lives as long as the process.
    /// </returns>
    /// <exception cref="InvalidOperationException">The assembly was built without the model file.</exception>
    public static Stream Open() =>
        typeof(BloomMini).Assembly.GetManifestResourceStream("bloom-mini.lacos")
        ?? throw new InvalidOperationException("Microsoft.ML.Lacos.Mini was built without 'bloom-mini.lacos'. Restore the file in src/Microsoft.ML.Lacos.Mini and build again, or name a model in Options.Model.");
}
