namespace Lacos.Cli.Models;

/// <summary>Opens tokenizers.</summary>
internal interface ITokenizerSource
{
    /// <summary>Opens the tokenizer of a model.</summary>
    /// <param name="model">A <c>.lacos</c> file, a model folder or a <c>tokenizer.json</c>; <see langword="null"/> for the built-in model.</param>
    /// <returns>Token ids of a text, thread-safe.</returns>
    Func<string, IReadOnlyList<int>> OpenTokenizer(string? model);
}
