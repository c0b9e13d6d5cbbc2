namespace Microsoft.ML.Lacos.Training.Data;

/// <summary>Everything that a run has read.</summary>
/// <param name="Datasets">The data sets, that of <c>Fit</c> first.</param>
/// <param name="Tokens">The token ids of their texts.</param>
/// <param name="PoolFrom">Leading tokens that pooling leaves out, of first sentences.</param>
/// <param name="SecondPoolFrom">Those of all other sentences.</param>
/// <param name="LongTexts">Texts that were cut at the token limit, each once for each prompt that it stands behind.</param>
internal sealed record LoadedData(IReadOnlyList<LoadedDataset> Datasets, TokenStore Tokens, int PoolFrom, int SecondPoolFrom, int LongTexts) : IDisposable
{
    /// <summary>Rows of all data sets.</summary>
    public int Rows => Datasets.Sum(dataset => dataset.Rows.Count);

    /// <summary>Leading tokens that pooling leaves out in a column of sentences.</summary>
    public int PoolFromOf(int column) => column == 0 ? PoolFrom : SecondPoolFrom;

    public void Dispose() => Tokens.Dispose();
}
