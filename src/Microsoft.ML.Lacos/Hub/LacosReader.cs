using System.Text;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>Reads a model from an open <c>.lacos</c> file, which it takes over.</summary>
internal static unsafe class LacosReader
{
    /// <summary>Checks everything but the 8-bit codes, all of whose values are valid, and describes the weights where they lie.</summary>
    /// <param name="file">Owned by the result; disposed when the reading fails.</param>
    /// <exception cref="InvalidDataException">A part is missing, damaged or does not belong to the others.</exception>
    /// <exception cref="NotSupportedException">The format is of a later version.</exception>
    public static LacosModel Read(SafetensorsFile file)
    {
        LacosTensorSource? source = null;
        try
        {
            CheckVersion(file);
            BloomConfig config = BloomConfigJson.Read(Metadata(file, LacosFormat.Config), $"{file.Source}: {LacosFormat.Config}");
            SentenceSettings settings = SentenceSettingsJson.Read(Metadata(file, LacosFormat.Settings), $"{file.Source}: {LacosFormat.Settings}");
            Dictionary<string, string> provenance = JsonFile.Strings(Metadata(file, LacosFormat.Provenance), $"{file.Source}: {LacosFormat.Provenance}");
            byte[] tokenizer = Tokenizer(file);
            TokenizerVocabulary.Check(tokenizer, config.VocabularySize, $"{file.Source}: {LacosFormat.Tokenizer}");
            source = new LacosTensorSource(file, Metadata(file, LacosFormat.Quantization));
            return new LacosModel(file, BloomAssembly.Assemble(config, source), tokenizer, settings, provenance, source);
        }
        catch
        {
            source?.Dispose();
            file.Dispose();
            throw;
        }
    }

    private static void CheckVersion(SafetensorsFile file)
    {
        if (!file.Metadata.TryGetValue(LacosFormat.Version, out string? version))
        {
            throw new InvalidDataException($"'{file.Source}' is a safetensors file but no .lacos model. Name the folder it lies in, or convert that with 'lacos quantize'.");
        }
        if (version is not (LacosFormat.RowsVersion or LacosFormat.PanelsVersion))
        {
            throw new NotSupportedException($"'{file.Source}' has format version '{TextInMessage.Of(version)}', this library reads versions {LacosFormat.RowsVersion} and {LacosFormat.PanelsVersion}. Update the library, or convert the model with this one.");
        }
    }

    private static byte[] Metadata(SafetensorsFile file, string key) => file.Metadata.TryGetValue(key, out string? text)
        ? Encoding.UTF8.GetBytes(text)
        : throw new InvalidDataException($"'{file.Source}' has no '{key}' in its metadata. Convert the model again.");

    private static byte[] Tokenizer(SafetensorsFile file)
    {
        SafetensorsEntry entry = file.Require(LacosFormat.Tokenizer);
        if (entry.Type != SafetensorsDType.U8 || entry.Shape.Length != 1)
        {
            throw new InvalidDataException($"'{LacosFormat.Tokenizer}' of '{file.Source}' is {entry.Describe()}, expected U8 bytes. Convert the model again.");
        }
        JsonLimits.RequireLength(entry.Count, JsonLimits.LargestTokenizer, $"{file.Source}: {LacosFormat.Tokenizer}");
        return new ReadOnlySpan<byte>(file.Pointer(entry), (int)entry.Count).ToArray();
    }
}
