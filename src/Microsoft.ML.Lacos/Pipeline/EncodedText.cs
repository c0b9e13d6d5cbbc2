using System.Runtime.ExceptionServices;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>A text's vector and its tokens before any truncation. Where there is no vector to give, reading it is the error, and the tokens can be read all the same.</summary>
internal sealed class EncodedText
{
    private readonly float[] _vector;
    private readonly ExceptionDispatchInfo? _refusal;

    public EncodedText(float[] vector, int tokenCount)
    {
        _vector = vector;
        TokenCount = tokenCount;
        IsUsable = TensorFloats.IndexOfNonFinite(vector) < 0;
    }

    /// <summary>A text that the options refuse to encode.</summary>
    public EncodedText(ArgumentException refusal, int tokenCount)
    {
        _vector = [];
        _refusal = ExceptionDispatchInfo.Capture(refusal);
        TokenCount = tokenCount;
    }

    /// <summary>Whether there is a vector, with nothing but numbers in it.</summary>
    public bool IsUsable { get; }

    /// <summary>Elements held.</summary>
    public int Length => _vector.Length;

    /// <summary>The vector; not to be changed.</summary>
    /// <exception cref="ArgumentException">The text is too long, and the options say to throw.</exception>
    /// <exception cref="InvalidDataException">It holds NaN or infinity.</exception>
    public float[] Vector
    {
        get
        {
            _refusal?.Throw();
            return IsUsable ? _vector : throw VectorCheck.ErrorOf("The text", _vector)!;
        }
    }

    /// <summary>Tokens before any truncation.</summary>
    public int TokenCount { get; }
}
