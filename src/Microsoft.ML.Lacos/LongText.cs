namespace Microsoft.ML.Lacos;

/// <summary>What to do with a text of more tokens than the limit.</summary>
public enum LongText
{
    /// <summary>Keep the first tokens up to the limit.</summary>
    Truncate = 0,

    /// <summary>Encode windows of at most the limit, each with the prompt, and take their mean, weighted by the tokens pooled in each (the prompt's own where it is pooled).</summary>
    Window = 1,

    /// <summary>Throw <see cref="ArgumentException"/>; in a pipeline where the vector of the text is read, not for its token count nor for the rows around it.</summary>
    Throw = 2,
}
