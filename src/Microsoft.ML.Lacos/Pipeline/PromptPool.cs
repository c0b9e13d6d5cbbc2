namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>Encoders of one model behind the prompts that columns have of their own: those in use, and the last few that were. Thread-safe.</summary>
/// <remarks>What a prompt takes grows with its tokens and the model, and prompts may come without an end, with a transformer a request.</remarks>
internal sealed class PromptPool(EmbeddingModel model, VectorMemory memory) : IDisposable
{
    /// <summary>Prompts kept that nobody has in use.</summary>
    public const int MostIdle = 16;

    private readonly Dictionary<string, Prompted> _prompted = new(StringComparer.Ordinal);

    // The one that has been idle for the longest time first.
    private readonly List<string> _idle = [];
    private int _numbers;

    /// <summary>Begins a use of a prompt, which ends with <see cref="Leave"/>.</summary>
    /// <param name="prompt">The text; empty for none.</param>
    /// <exception cref="ArgumentException">The prompt leaves no token for a text.</exception>
    public TextVectors Enter(string prompt)
    {
        lock (_prompted)
        {
            if (!_prompted.TryGetValue(prompt, out Prompted? known))
            {
                // Never a number twice: the memory may still hold vectors behind a prompt that has gone.
                ITextEncoder encoder = model.WithPrompt(prompt);
                known = new Prompted(encoder, new TextVectors(encoder, memory, ++_numbers));
                _prompted.Add(prompt, known);
            }
            _idle.Remove(prompt);
            known.Users++;
            return known.Vectors;
        }
    }

    /// <summary>Ends a use of a prompt.</summary>
    public void Leave(string prompt)
    {
        lock (_prompted)
        {
            if (--_prompted[prompt].Users > 0)
            {
                return;
            }
            _idle.Add(prompt);
            if (_idle.Count > MostIdle && _prompted.Remove(_idle[0], out Prompted? gone))
            {
                _idle.RemoveAt(0);
                gone.Encoder.Dispose();
            }
        }
    }

    /// <summary>Not while a prompt is in use.</summary>
    public void Dispose()
    {
        foreach (Prompted prompted in _prompted.Values)
        {
            prompted.Encoder.Dispose();
        }
    }

    private sealed class Prompted(ITextEncoder encoder, TextVectors vectors)
    {
        public ITextEncoder Encoder { get; } = encoder;

        public TextVectors Vectors { get; } = vectors;

        public int Users { get; set; }
    }
}
