namespace Microsoft.ML.Lacos.Tests.Damage;

/// <summary>What is asked of whatever reads a damaged file: the use of it succeeds, or a clear error comes soon.</summary>
internal static class Refusal
{
    // Of a loader that waits for a pipe or reads without an end; a good one takes milliseconds.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Uses a file, and checks the error where there is one.</summary>
    /// <param name="use">Reads the file and does something with it.</param>
    /// <param name="where">What was damaged and how, for messages.</param>
    /// <param name="others">Kinds of errors that the use may meet beside those of files.</param>
    /// <returns>The error; <see langword="null"/> where the use succeeded.</returns>
    public static Exception? Of(Action use, string where, params Type[] others)
    {
        Task task = Task.Run(use);
        try
        {
            Assert.IsTrue(task.Wait(Patience), $"{where}: no end after {Patience.TotalSeconds} s");
            return null;
        }
        catch (AggregateException failure)
        {
            Exception error = Own(failure.InnerException!);
            Assert.IsTrue(error is InvalidDataException or NotSupportedException or IOException || others.Contains(error.GetType()), $"{where}: {error}");
            CheckMessage(error.Message, where);
            return error;
        }
    }

    /// <summary>Checks that a message can be shown: not empty, short, and without what a terminal would obey.</summary>
    public static void CheckMessage(string message, string where)
    {
        Assert.IsTrue(message.Length is > 0 and < 1500, $"{where}: a message of {message.Length} characters");
        Assert.IsFalse(message.ReplaceLineEndings(" ").Any(char.IsControl), $"{where}: {message}");
        Assert.DoesNotContain("Object reference", message, where);
        Assert.DoesNotContain("Nullable object", message, where);
    }

    // ML.NET calls loaders by reflection and wraps what they throw.
    private static Exception Own(Exception error) => error.InnerException is { } inner && (error is System.Reflection.TargetInvocationException || error.Source == "Microsoft.ML.Core") ? Own(inner) : error;
}
