namespace Microsoft.ML.Lacos.Hub;

/// <summary>Keys under which <see cref="LacosModel.Provenance"/> holds what is known of a model's making. Others may stand beside them.</summary>
public static class ModelProvenance
{
    /// <summary>Name of the model.</summary>
    public const string Name = "name";

    /// <summary>Licence, as an SPDX expression where the model's card gives one.</summary>
    public const string License = "license";

    /// <summary>Where the weights come from, for example the id of a hub.</summary>
    public const string Origin = "origin";

    /// <summary>SHA-256 of the weights file quantised, or of the list of its shards with theirs.</summary>
    public const string BaseSha256 = "base_sha256";

    /// <summary>How the weights were quantised.</summary>
    public const string Quantization = "quantization";

    /// <summary>How good the model is, language by language: JSON, see <see cref="ModelScores"/>. Dropped when an adapter changes the weights.</summary>
    public const string Scores = "scores";
}
