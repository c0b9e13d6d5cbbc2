using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Tests.Bloom;

/// <summary>A padded batch of the reference, and its real tokens as a ragged one.</summary>
internal sealed unsafe record PaddedReference((int[] Ids, int[] Offsets) Batch, int[] RealPositions)
{
    public static PaddedReference Read(SafetensorsFile file, string side)
    {
        SafetensorsEntry entry = file.Require($"{side}.input_ids");
        var ids = new ReadOnlySpan<int>(file.Pointer(entry), (int)entry.Count);
        var mask = new ReadOnlySpan<int>(file.Pointer(file.Require($"{side}.attention_mask")), ids.Length);
        int width = (int)entry.Shape[1];
        var real = new List<int>();
        var offsets = new List<int> { 0 };
        for (int position = 0; position < ids.Length; position++)
        {
            if (mask[position] != 0)
            {
                real.Add(position);
            }
            if ((position + 1) % width == 0)
            {
                offsets.Add(real.Count);
            }
        }
        int[] all = ids.ToArray();
        return new PaddedReference(([.. real.Select(position => all[position])], [.. offsets]), [.. real]);
    }

    public float[] RealTokens(float[] padded, int hidden) =>
        [.. RealPositions.SelectMany(position => padded.AsSpan(position * hidden, hidden).ToArray())];
}
