using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Microsoft.ML.Lacos.Tests;

/// <summary>The library uses members that ML.NET keeps internal; a version without one of them has to fail here, by name, not in somebody's application.</summary>
[TestClass]
public sealed class MlNetInternalsTests
{
    [TestMethod]
    public void EveryMemberOfMlNetThatTheLibraryUsesExistsAndTheInternalOnesAreThoseExpected()
    {
        Module module = typeof(SentenceEmbeddingTransformer).Module;
        using var file = new PEReader(File.OpenRead(module.FullyQualifiedName));
        MetadataReader metadata = file.GetMetadataReader();
        var used = new SortedSet<string>(StringComparer.Ordinal);
        var failures = new List<string>();
        int resolved = 0;
        foreach (MemberReferenceHandle handle in metadata.MemberReferences)
        {
            string name = metadata.GetString(metadata.GetMemberReference(handle).Name);
            try
            {
                // Members of constructed generic types need arguments to be resolved with; none of those used is internal.
                Type[] any = [.. Enumerable.Repeat(typeof(float), 4)];
                MemberInfo member = module.ResolveMember(MetadataTokens.GetToken(handle), any, any)!;
                Type type = member.DeclaringType!;
                if (type.Assembly.GetName().Name!.StartsWith("Microsoft.ML.", StringComparison.Ordinal) && type.Assembly != module.Assembly)
                {
                    resolved++;
                    if (IsInternal(type) || (member is MethodBase { IsAssembly: true } or MethodBase { IsFamilyAndAssembly: true } or FieldInfo { IsAssembly: true }))
                    {
                        used.Add($"{type.FullName}.{member.Name}");
                    }
                }
            }
            catch (Exception error) when (error is MissingMemberException or TypeLoadException or BadImageFormatException or ArgumentException)
            {
                failures.Add($"{name}: {error.Message}");
            }
        }
        Assert.HasCount(0, failures, string.Join('\n', failures));
        Assert.IsGreaterThan(50, resolved);
        string[] expected =
        [
            "Microsoft.ML.Data.CatalogUtils.GetEnvironment",
            "Microsoft.ML.LoadableClassAttribute..ctor",
            "Microsoft.ML.ModelLoadContext.CheckAtModel",
            "Microsoft.ML.ModelLoadContext.TryLoadBinaryStream",
            "Microsoft.ML.ModelSaveContext.CheckAtModel",
            "Microsoft.ML.ModelSaveContext.SaveBinaryStream",
            "Microsoft.ML.ModelSaveContext.SetVersionInfo",
            "Microsoft.ML.Runtime.IHostEnvironmentInternal.get_FallbackToCpu",
            "Microsoft.ML.Runtime.IHostEnvironmentInternal.get_GpuDeviceId",
            "Microsoft.ML.Runtime.IHostEnvironmentInternal.get_TempFilePath",
            "Microsoft.ML.SchemaShape+Column..ctor",
            "Microsoft.ML.VersionInfo..ctor",
        ];
        CollectionAssert.AreEqual(expected, used.ToArray(), "Used: " + string.Join(", ", used));
    }

    [TestMethod]
    public void TheInternalInterfaceThatTheLibraryImplementsExists() =>
        Assert.AreEqual("Microsoft.ML.Data", typeof(Lacos.Pipeline.EmbeddingView).GetInterface("Microsoft.ML.Data.IDataTransform")?.Assembly.GetName().Name);

    [TestMethod]
    public void SignaturesKeepToMlNetsLimits()
    {
        Assert.IsLessThanOrEqualTo(24, SentenceEmbeddingTransformer.LoaderSignature.Length);
        Assert.IsTrue(SentenceEmbeddingTransformer.LoaderSignature.All(char.IsAscii));
        Assert.AreEqual(new Version(1, 0, 0, 0), typeof(SentenceEmbeddingTransformer).Assembly.GetName().Version, "Saved models hold the full assembly name; another version could not read them.");
    }

    private static bool IsInternal(Type type) => type.IsNested ? type.IsNestedAssembly || type.IsNestedFamANDAssem || IsInternal(type.DeclaringType!) : !type.IsPublic;
}
