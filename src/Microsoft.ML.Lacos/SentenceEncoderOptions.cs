using System.Globalization;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Native;

namespace Microsoft.ML.Lacos;

/// <summary>Options of <see cref="SentenceEncoder"/>. A value left out is the model's own.</summary>
public sealed record SentenceEncoderOptions
{
    /// <summary>How token vectors become one vector; <see langword="null"/> for the model's own.</summary>
    public PoolingModes? Pooling { get; init; }

    /// <summary>Whether vectors are divided by their Euclidean norm; <see langword="null"/> for the model's own.</summary>
    public bool? Normalize { get; init; }

    /// <summary>Text put before every sentence; <see langword="null"/> for the model's default prompt, empty for none.</summary>
    public string? Prompt { get; init; }

    /// <summary>Name of one of the model's prompts (<see cref="SentenceSettings.Prompts"/>) to put before every sentence; <see langword="null"/> to go by <see cref="Prompt"/>. Not both.</summary>
    public string? PromptName { get; init; }

    /// <summary>Leading dimensions to keep, before normalising; 0 keeps all.</summary>
    public int Dimension { get; init; }

    /// <summary>Token limit of a text, prompt included; 0 for the model's own.</summary>
    public int MaximumTokenCount { get; init; }

    /// <summary>What to do with longer texts.</summary>
    public LongText LongText { get; init; }

    /// <summary>Arithmetic of the linear layers.</summary>
    public BloomCompute Compute { get; init; }

    /// <summary>
    /// Outlier threshold of LLM.int8: feature columns with a magnitude of at least this much are computed in fp32, decided sentence by sentence.
    /// 0 (default) turns it off; the reference's value is 6.0. Only for <see cref="BloomCompute.Int8"/>.
    /// </summary>
    public float OutlierThreshold { get; init; }

    /// <summary>Threads, at most 256; 0 (default) for <c>LACOS_NUM_THREADS</c>, else as many as CPU affinity and the container's quota allow. Changes no vector.</summary>
    public int ThreadCount { get; init; }

    /// <summary>Tokens encoded together, at most, where those that texts share at their beginnings count once; a longer text is a batch of its own. 0 (default) for 4096, or 512 a thread where that is more. Changes no vector.</summary>
    public int BatchTokens { get; init; }

    internal void Validate()
    {
        if (Pooling is PoolingModes pooling && !Bloom.Pooling.AreModes(pooling))
        {
            throw new ArgumentOutOfRangeException(nameof(Pooling), pooling, "Pooling must be one or more of the modes, or null for the model's own.");
        }
        AppliedPrompt.RefuseBoth(Prompt, PromptName);
        RequireAtLeast(nameof(Dimension), Dimension, 0, "0 keeps all dimensions");
        RequireAtLeast(nameof(MaximumTokenCount), MaximumTokenCount, 0, "0 takes the model's own limit");
        if (ThreadCount is < 0 or > EncoderThreads.Most)
        {
            throw new ArgumentOutOfRangeException(nameof(ThreadCount), ThreadCount, $"ThreadCount must be from 0 to {EncoderThreads.Most}; 0 takes LACOS_NUM_THREADS, else as many as affinity and quota allow.");
        }
        RequireAtLeast(nameof(BatchTokens), BatchTokens, 0, "0 takes 4096, or 512 a thread where that is more");
        if (!Enum.IsDefined(LongText))
        {
            throw new ArgumentOutOfRangeException(nameof(LongText), LongText, "LongText must be Truncate, Window or Throw.");
        }
        if (!Enum.IsDefined(Compute))
        {
            throw new ArgumentOutOfRangeException(nameof(Compute), Compute, "Compute must be Int8, Int8WeightOnly or Float32.");
        }
        if (!(OutlierThreshold >= 0) || float.IsInfinity(OutlierThreshold))
        {
            throw new ArgumentOutOfRangeException(nameof(OutlierThreshold), OutlierThreshold, "OutlierThreshold must be a positive number (6.0 is the reference's), or 0 for none.");
        }
        if (OutlierThreshold > 0 && Compute != BloomCompute.Int8)
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"OutlierThreshold is {OutlierThreshold} but Compute is {Compute}: only Int8 quantises activations. Leave the threshold at 0 or choose Int8."), nameof(OutlierThreshold));
        }
    }

    private static void RequireAtLeast(string name, int value, int least, string hint)
    {
        if (value < least)
        {
            throw new ArgumentOutOfRangeException(name, value, $"{name} must be at least {least}; {hint}.");
        }
    }
}
