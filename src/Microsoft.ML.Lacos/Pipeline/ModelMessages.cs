using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>What is said through <see cref="MLContext.Log"/>.</summary>
internal static class ModelMessages
{
    private static int s_managedNoticeGiven;

    /// <summary>Says which model was opened and what runs it; once a process, that the native library is missing.</summary>
    public static void Opened(IHost host, EmbeddingModel model)
    {
        using IChannel channel = host.Start("Sentence embedding");
        channel.Info(MessageSensitivity.None, "Model '{0}' opened: {1} dimensions, at most {2} tokens a text, on {3}.", model.Name, model.Encoder.Dimension, model.MaximumTokenCount, model.Description);
        if (BloomEncoders.ManagedReason is string reason && Interlocked.Exchange(ref s_managedNoticeGiven, 1) == 0)
        {
            channel.Warning(MessageSensitivity.None, "The native library is not in use ({0}), so the managed encoder is: much slower, and its vectors differ in their last bits from those of the native kernels. Install a C++ compiler and CMake and build again, or use a package that carries the library.", reason);
        }
    }

    /// <summary>Says, once a model, how many texts were longer than the limit.</summary>
    public static void LongTexts(IHost host, SharedModel shared, LongText treatment, int count)
    {
        if (count == 0 || Interlocked.Exchange(ref shared.LongTextsReported, 1) != 0)
        {
            return;
        }
        using IChannel channel = host.Start("Sentence embedding");
        if (treatment == LongText.Window)
        {
            channel.Info(MessageSensitivity.None, "{0} texts had more than {1} tokens and were encoded in windows.", count, shared.Model.MaximumTokenCount);
        }
        else
        {
            channel.Warning(MessageSensitivity.None, "{0} texts had more than {1} tokens and were truncated. Raise MaximumTokenCount, or choose LongText.Window or LongText.Throw.", count, shared.Model.MaximumTokenCount);
        }
    }
}

/// <summary>Counts the long texts of one pass over a view, which may be made by several cursors, and reports when the last of them is done.</summary>
internal sealed class LongTextTally(int cursors, Action<int> report)
{
    private int _open = cursors;
    private int _count;

    public void Close(int count)
    {
        int total = Interlocked.Add(ref _count, count);
        if (Interlocked.Decrement(ref _open) == 0)
        {
            report(total);
        }
    }
}
