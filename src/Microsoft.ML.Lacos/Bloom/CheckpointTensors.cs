using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Bloom;

/// <summary>The tensors of a Hugging Face BLOOM folder by name, with or without the <c>transformer.</c> prefix.</summary>
/// <param name="folder">Folder of <c>config.json</c> and the weights.</param>
internal sealed class CheckpointTensors(string folder) : IDisposable
{
    private readonly SafetensorsFolder _files = SafetensorsFolder.Open(folder);

    /// <summary>Paths of the files that hold the weights.</summary>
    public IReadOnlyList<string> Files => _files.Files;

    /// <summary>Reads the shape of a folder's model.</summary>
    /// <exception cref="FileNotFoundException">There is no <c>config.json</c>.</exception>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    /// <exception cref="NotSupportedException">It is no BLOOM's.</exception>
    public static BloomConfig ReadConfig(string folder)
    {
        string path = Path.Combine(folder, "config.json");
        return File.Exists(path)
            ? BloomConfigJson.Read(JsonLimits.ReadFile(path, JsonLimits.LargestConfig), path)
            : throw new FileNotFoundException($"'{folder}' holds no 'config.json'. Name the folder of a Hugging Face BLOOM checkpoint.", path);
    }

    /// <summary>Refuses a folder that lacks a tensor or has it in another shape, before any is read, which takes long.</summary>
    /// <exception cref="InvalidDataException">It does.</exception>
    public void RequireAll(BloomConfig config)
    {
        foreach (BloomTensor tensor in BloomTensorNames.All(config))
        {
            if (tensor.IsMatrix)
            {
                Find(tensor.Name + ".weight", tensor.Rows, tensor.Columns);
            }
            else
            {
                Find(tensor.Name, tensor.Rows);
            }
        }
    }

    /// <summary>Reads a vector, which must be finite.</summary>
    /// <exception cref="InvalidDataException">It is not, is missing, or has another length.</exception>
    public float[] Vector(string name, int length)
    {
        (SafetensorsFile file, SafetensorsEntry entry) = Find(name, length);
        return file.ReadFloats(entry.Name);
    }

    /// <summary>A tensor that must be there, in the shape that it must have.</summary>
    /// <param name="name">Name without prefix.</param>
    /// <param name="shape">Sizes, outermost first.</param>
    /// <exception cref="InvalidDataException">It is missing, or has another shape.</exception>
    public (SafetensorsFile File, SafetensorsEntry Entry) Find(string name, params ReadOnlySpan<long> shape)
    {
        if (!_files.Tensors.TryGetValue(name, out SafetensorsFile? file))
        {
            name = BloomTensorNames.OptionalPrefix + name;
            if (!_files.Tensors.TryGetValue(name, out file))
            {
                throw new InvalidDataException($"The weights in '{_files.Folder}' lack the tensor '{name[BloomTensorNames.OptionalPrefix.Length..]}' that config.json calls for. Check that both belong together.");
            }
        }
        SafetensorsEntry entry = file.Entries[name];
        return shape.SequenceEqual(entry.Shape)
            ? (file, entry)
            : throw new InvalidDataException($"Tensor '{name}' of '{file.Source}' is {entry.Describe()}, expected [{string.Join(", ", shape.ToArray())}] by config.json. Check that both belong together.");
    }

    /// <inheritdoc/>
    public void Dispose() => _files.Dispose();
}
