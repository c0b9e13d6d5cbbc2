using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Lora;

/// <summary>The regular expressions of one configuration, applied as PEFT does (<c>get_pattern_key</c>): each is compiled once, and all together may take a few seconds.</summary>
/// <remarks>
/// They come from a file and must not hang its reader. One that repeats or chooses runs without backtracking, in time proportional to the name, unless it uses what only backtracking can do, such as looking ahead.
/// One that does neither cannot backtrack far, and compiles a hundred times faster for the ordinary engine.
/// </remarks>
internal sealed class ModulePatterns
{
    private const int MostPatterns = 1024;
    private const int LongestPattern = 1 << 14;

    // A configuration that is used for hours may go on taking a small part of them.
    private const int PartOfAge = 10;
    private static readonly TimeSpan OneMatch = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AllMatches = TimeSpan.FromSeconds(5);

    private static readonly SearchValues<char> Branching = SearchValues.Create("*+?{|(");

    // By reference: a field of the record would take part in its equality and be copied by 'with'.
    private static readonly ConditionalWeakTable<LoraConfig, ModulePatterns> Known = [];

    private readonly ConcurrentDictionary<string, Regex> _compiled = new(StringComparer.Ordinal);
    private readonly long _begun = Stopwatch.GetTimestamp();
    private long _spent;

    /// <summary>The patterns of a configuration.</summary>
    public static ModulePatterns Of(LoraConfig config) => Known.GetValue(config, static _ => new ModulePatterns());

    /// <summary>Whether the regular expression matches the whole name.</summary>
    /// <exception cref="InvalidDataException">It is none, or takes too long.</exception>
    public bool Matches(string module, string pattern) => IsMatch(module, pattern, $@"\A(?:{pattern})\z");

    /// <summary>The value of the first pattern that matches the name or its end after a dot.</summary>
    /// <exception cref="InvalidDataException">A pattern is no regular expression, or they take too long.</exception>
    public T FirstMatch<T>(string module, IReadOnlyList<KeyValuePair<string, T>> patterns, T otherwise)
    {
        foreach ((string pattern, T value) in patterns)
        {
            if (IsMatch(module, pattern, $@"\A(?:.*\.)?(?:{pattern})\z"))
            {
                return value;
            }
        }
        return otherwise;
    }

    private bool IsMatch(string module, string pattern, string whole)
    {
        long start = Stopwatch.GetTimestamp();
        bool isMatch;
        try
        {
            if (!_compiled.TryGetValue(whole, out Regex? regex))
            {
                regex = _compiled.GetOrAdd(whole, Compile(whole, pattern));
            }
            isMatch = regex.IsMatch(module) || regex.IsMatch(BloomTensorNames.OptionalPrefix + module);
        }
        catch (RegexMatchTimeoutException error)
        {
            throw new InvalidDataException($"The regular expression '{TextInMessage.Of(pattern)}' in the adapter's configuration takes too long on '{TextInMessage.Of(module)}'. Name the modules in a list instead.", error);
        }
        CheckTime(start, Stopwatch.GetTimestamp());
        return isMatch;
    }

    private Regex Compile(string whole, string pattern)
    {
        if (pattern.Length > LongestPattern)
        {
            throw new InvalidDataException($"The regular expression '{TextInMessage.Of(pattern)}' in the adapter's configuration has {pattern.Length} characters, at most {LongestPattern} are accepted. Name the modules in a list instead.");
        }
        if (_compiled.Count >= MostPatterns)
        {
            throw new InvalidDataException($"The adapter's configuration has more than {MostPatterns} regular expressions. Put modules of the same rank or alpha under one.");
        }
        try
        {
            bool isPlain = !pattern.AsSpan().ContainsAny(Branching);
            return new Regex(whole, isPlain ? RegexOptions.CultureInvariant : RegexOptions.CultureInvariant | RegexOptions.NonBacktracking, OneMatch);
        }
        catch (NotSupportedException)
        {
            return new Regex(whole, RegexOptions.CultureInvariant, OneMatch);
        }
        catch (ArgumentException error)
        {
            throw new InvalidDataException($"'{TextInMessage.Of(pattern)}' in the adapter's configuration is no regular expression that .NET understands: {TextInMessage.Of(error.Message)} Name the modules in a list instead.", error);
        }
    }

    private void CheckTime(long start, long end)
    {
        TimeSpan spent = Stopwatch.GetElapsedTime(0, Interlocked.Add(ref _spent, end - start));
        if (spent > AllMatches + (Stopwatch.GetElapsedTime(_begun, end) / PartOfAge))
        {
            throw new InvalidDataException($"The regular expressions in the adapter's configuration have taken {spent.TotalSeconds.ToString("F1", CultureInfo.InvariantCulture)} s so far, which is too long. Use fewer or simpler ones, or name the modules in a list instead.");
        }
    }
}
