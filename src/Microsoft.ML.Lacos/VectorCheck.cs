using System.Globalization;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos;

/// <summary>Refuses vectors that are none.</summary>
internal static class VectorCheck
{
    /// <summary>The error of a vector with NaN or infinity in it; <see langword="null"/> for any other.</summary>
    /// <param name="which">Whose vector it is, for the message.</param>
    /// <param name="vector">The vector.</param>
    public static InvalidDataException? ErrorOf(string which, ReadOnlySpan<float> vector)
    {
        int bad = TensorFloats.IndexOfNonFinite(vector);
        return bad < 0 ? null : new InvalidDataException(string.Create(
            CultureInfo.InvariantCulture,
            $"{which} has {vector[bad]} in its vector, at element {bad}. The weights of the model are damaged, or too large for this arithmetic: fetch or convert the model again, or try another Compute."));
    }
}
