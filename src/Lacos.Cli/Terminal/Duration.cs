using System.Globalization;

namespace Lacos.Cli.Terminal;

/// <summary>A time as people say it: in its largest unit and the next one.</summary>
internal static class Duration
{
    /// <summary>Such as 340 ms, 45 s, 3 min 20 s, 2 h 5 min, 1 d 4 h.</summary>
    public static string Of(TimeSpan time)
    {
        FormattableString text = time switch
        {
            { TotalSeconds: < 1 } => $"{Math.Ceiling(time.TotalMilliseconds)} ms",
            { TotalMinutes: < 1 } => $"{time.Seconds} s",
            { TotalHours: < 1 } => $"{time.Minutes} min {time.Seconds} s",
            { TotalDays: < 1 } => $"{time.Hours} h {time.Minutes} min",
            _ => $"{time.Days} d {time.Hours} h",
        };
        return text.ToString(CultureInfo.InvariantCulture);
    }
}
