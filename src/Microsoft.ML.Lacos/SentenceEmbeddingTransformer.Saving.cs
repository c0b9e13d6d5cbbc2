using Microsoft.ML;
using Microsoft.ML.Lacos;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Pipeline;
using Microsoft.ML.Lacos.Safetensors;
using Microsoft.ML.Runtime;

[assembly: System.Runtime.CompilerServices.IgnoresAccessChecksTo("Microsoft.ML.Core")]
[assembly: System.Runtime.CompilerServices.IgnoresAccessChecksTo("Microsoft.ML.Data")]
[assembly: LoadableClass(typeof(SentenceEmbeddingTransformer), null, typeof(SignatureLoadModel), SentenceEmbeddingTransformer.UserName, SentenceEmbeddingTransformer.LoaderSignature)]

namespace Microsoft.ML.Lacos;

public sealed partial class SentenceEmbeddingTransformer
{
    internal const string UserName = "LACOS sentence embedding";

    /// <summary>At most 24 ASCII characters; written into every saved model, so it never changes.</summary>
    internal const string LoaderSignature = "LacosSentenceEmbedding";

    private const string OptionsEntry = "options.json";
    private const string ModelEntry = "model.lacos";

    /// <summary>Writes the options and the model itself, weights included, into a saved ML.NET model.</summary>
    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ArgumentNullException.ThrowIfNull(ctx);
        EmbeddingContext context = Open;
        ctx.CheckAtModel();
        ctx.SetVersionInfo(GetVersionInfo());
        ctx.SaveBinaryStream(OptionsEntry, writer => SavedOptions.Write(writer.BaseStream, context.Options, (prompt, name) => PromptToSave(context.Model, prompt, name), context.Model.Fingerprint));
        ctx.SaveBinaryStream(ModelEntry, writer =>
        {
            writer.Flush();
            context.Model.Save(writer.BaseStream);
        });
    }

    // A name becomes its text: who reads the file need not know of names.
    private static string? PromptToSave(EmbeddingModel model, string? prompt, string? promptName) => promptName is null ? prompt : model.PromptText(null, promptName);

    /// <summary>Called by ML.NET, which finds it by its name and parameters.</summary>
    private static SentenceEmbeddingTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ArgumentNullException.ThrowIfNull(env);
        ArgumentNullException.ThrowIfNull(ctx);
        IHost host = env.Register(nameof(SentenceEmbeddingTransformer));
        try
        {
            return Read(host, ctx);
        }
        catch (Exception error)
        {
            // Marked, ML.NET reports it as an error of this step with the message; otherwise only as one of reflection.
            host.Process(error);
            throw;
        }
    }

    private static SentenceEmbeddingTransformer Read(IHost host, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(GetVersionInfo());
        (SentenceEmbeddingEstimator.Options Options, string Fingerprint)? entry = null;
        EmbeddingModel? model = null;
        if (!ctx.TryLoadBinaryStream(OptionsEntry, reader => entry = SavedOptions.Read(reader.BaseStream)) || entry is not var (options, fingerprint))
        {
            throw Damaged(OptionsEntry);
        }
        try
        {
            if (!ctx.TryLoadBinaryStream(ModelEntry, reader => model = EmbeddingModel.Read(reader.BaseStream, options)))
            {
                throw Damaged(ModelEntry);
            }
        }
        catch (ArgumentException error) when (!BloomEncoders.IsForcedNameUnknown)
        {
            throw new InvalidDataException($"The options in '{OptionsEntry}' do not fit the model in '{ModelEntry}': {TextInMessage.Of(error.Message, 300)} The file is damaged or was changed; save the model again.", error);
        }
        if (!string.Equals(model!.Fingerprint, fingerprint, StringComparison.Ordinal))
        {
            using (model)
            {
                throw new InvalidDataException($"The entry '{ModelEntry}' has sha256 {model.Fingerprint}, but {TextInMessage.Of(fingerprint)} was saved. The file is damaged or was changed; save the model again.");
            }
        }
        ModelMessages.Opened(host, model);
        return new SentenceEmbeddingTransformer(new EmbeddingContext(host, options, SharedModel.Start(model, options.CacheBytes)));
    }

    private static InvalidDataException Damaged(string entry) =>
        new($"The saved model has no entry '{entry}', which holds a part of its sentence embedding. The file is damaged or was changed; save the model again.");

    private static VersionInfo GetVersionInfo() => new(
        modelSignature: "LACOSEMB",
        verWrittenCur: 0x00010001,
        verReadableCur: 0x00010001,
        verWeCanReadBack: 0x00010001,
        loaderSignature: LoaderSignature,
        loaderAssemblyName: typeof(SentenceEmbeddingTransformer).Assembly.FullName);
}
