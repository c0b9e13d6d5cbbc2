using System.Globalization;
using System.Runtime.CompilerServices;

namespace Microsoft.ML.Lacos.Training.Losses;

/// <summary>Checks of the numbers that losses are made with.</summary>
internal static class LossArguments
{
    public static double Positive(double value, [CallerArgumentExpression(nameof(value))] string? name = null) =>
        double.IsFinite(value) && value > 0 ? value : throw new ArgumentOutOfRangeException(name, value, Message(name, value));

    public static int Positive(int value, [CallerArgumentExpression(nameof(value))] string? name = null) =>
        value > 0 ? value : throw new ArgumentOutOfRangeException(name, value, Message(name, value));

    private static string Message(string? name, IFormattable value) => string.Create(CultureInfo.InvariantCulture, $"'{name}' must be a positive number, got {value}.");
}
