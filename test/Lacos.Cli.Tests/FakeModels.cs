using Lacos.Cli.Models;
using Microsoft.ML.Lacos;

namespace Lacos.Cli.Tests;

/// <summary>Models without weights: a text's vector is made from its characters, its tokens are their code units.</summary>
internal sealed class FakeModels : IModelSource, ITokenizerSource
{
    public const int FullDimension = 12;

    /// <summary>Called before each encoding.</summary>
    public Action<int>? Encoding { get; set; }

    /// <summary>A value that spoils vectors, and the text whose last element it takes.</summary>
    public (string Text, float Value)? Damage { get; set; }

    /// <summary>Options of the model opened last.</summary>
    public SentenceEncoderOptions? Options { get; private set; }

    /// <summary>Model path of the model opened last.</summary>
    public string? ModelPath { get; private set; }

    public LoadedModel Open(string? model, string? adapter, SentenceEncoderOptions options)
    {
        if (options.Dimension > FullDimension)
        {
            throw new ArgumentOutOfRangeException(nameof(options), options.Dimension, "Dimension must be at most 12.");
        }
        ModelPath = model;
        Options = options;
        int dimension = options.Dimension == 0 ? FullDimension : options.Dimension;
        var facts = new ModelFacts("fake", new Lazy<string>("f00d"), dimension, "mean", Normalized: false, options.Prompt ?? "", 8, "truncate", "int8", "no engine");
        return new LoadedModel(new Encoder(dimension, this), facts, null);
    }

    public Func<string, IReadOnlyList<int>> OpenTokenizer(string? model) => text => [.. text.Select(character => (int)character)];

    /// <summary>Vector of a text.</summary>
    public static float[] Vector(string? text, int dimension = FullDimension)
    {
        var vector = new float[dimension];
        for (int i = 0; i < (text?.Length ?? 0); i++)
        {
            vector[(text![i] + i) % dimension] += ((text[i] % 7) - 3) * 0.37f;
        }
        return vector;
    }

    private sealed class Encoder(int dimension, FakeModels owner) : ITextEncoder
    {
        public int Dimension => dimension;

        public bool IsNormalized => false;

        public int Encode(ReadOnlySpan<string?> texts, Span<float> vectors, Span<int> tokenCounts, CancellationToken cancellationToken)
        {
            owner.Encoding?.Invoke(texts.Length);
            cancellationToken.ThrowIfCancellationRequested();
            int longTexts = 0;
            for (int i = 0; i < texts.Length; i++)
            {
                Vector(texts[i], dimension).CopyTo(vectors[(i * dimension)..]);
                if (owner.Damage is { } damage && damage.Text == texts[i])
                {
                    vectors[((i + 1) * dimension) - 1] = damage.Value;
                }
                longTexts += texts[i]?.Length > 8 ? 1 : 0;
            }
            return longTexts;
        }

        public int CountTokens(string? text) => text?.Length ?? 0;

        public void Dispose()
        {
        }
    }
}
