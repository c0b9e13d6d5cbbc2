using CsCheck;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Tests.Damage;

namespace Microsoft.ML.Lacos.Tests.Hub;

/// <summary>A fixture for each way a model on disk can be bad.</summary>
[TestClass]
public sealed class HostileModelTests
{
    [TestMethod]
    [DataRow("config.json", """{"model_type":"llama","hidden_size":8}""", typeof(NotSupportedException), "llama")]
    [DataRow("config.json", """{"hidden_size":8,"n_layer":2,"n_head":2,"vocab_size":12}""", typeof(NotSupportedException), "(none)")]
    [DataRow("config.json", """{"model_type":"bloom","n_layer":2,"n_head":2,"vocab_size":12}""", typeof(InvalidDataException), "'hidden_size' (or 'n_embed')")]
    [DataRow("config.json", """{"model_type":"bloom","hidden_size":8,"n_embed":16,"n_layer":2,"n_head":2,"vocab_size":12}""", typeof(InvalidDataException), "both")]
    [DataRow("config.json", """{"model_type":"bloom","hidden_size":8,"n_layer":2,"n_head":3,"vocab_size":12}""", typeof(InvalidDataException), "do not divide")]
    [DataRow("config.json", """{"model_type":"bloom","hidden_size":8,"n_layer":2,"n_head":0,"vocab_size":12}""", typeof(InvalidDataException), "n_head")]
    [DataRow("config.json", """{"model_type":"bloom","hidden_size":8,"n_layer":2000000000,"n_head":2,"vocab_size":12}""", typeof(InvalidDataException), "n_layer")]
    [DataRow("config.json", """{"model_type":"bloom","hidden_size":8,"n_layer":3,"n_head":2,"vocab_size":12}""", typeof(InvalidDataException), "h.2.input_layernorm.weight")]
    [DataRow("config.json", """{"model_type":"bloom","hidden_size":8,"n_layer":2,"n_head":2,"vocab_size":13}""", typeof(InvalidDataException), "expected [13, 8]")]
    [DataRow("config.json", """{"model_type":"bloom","hidden_size":8,"n_layer":2,"n_head":2,"vocab_size":12,"layer_norm_epsilon":-1}""", typeof(InvalidDataException), "layer_norm_epsilon")]
    [DataRow("config.json", "", typeof(InvalidDataException), "config.json")]
    [DataRow("config.json", "[]", typeof(InvalidDataException), "config.json")]
    [DataRow("tokenizer.json", "", typeof(InvalidDataException), "tokenizer.json")]
    [DataRow("tokenizer.json", "{}", typeof(InvalidDataException), "'model'")]
    [DataRow("tokenizer.json", """{"model":{"type":"Unigram","vocab":[["a",0.5]]}}""", typeof(NotSupportedException), "BPE")]
    [DataRow("tokenizer.json", """{"model":{"vocab":{"a":0,"b":1,"c":2,"d":3,"e":4,"f":12}}}""", typeof(InvalidDataException), "another vocabulary")]
    [DataRow("tokenizer.json", """{"model":{"vocab":{"a":0,"b":1,"c":2,"d":3,"e":4,"f":5}},"added_tokens":[{"id":250000,"content":"x"}]}""", typeof(InvalidDataException), "another vocabulary")]
    [DataRow("tokenizer.json", """{"model":{"vocab":{"a":0,"b":1,"c":2}}}""", typeof(InvalidDataException), "another vocabulary")]
    [DataRow("tokenizer.json", """{"model":{"vocab":{"a":-1}}}""", typeof(InvalidDataException), "whole number")]
    [DataRow("tokenizer.json", """{"model":{"vocab":{"a":{"b":1}}}}""", typeof(InvalidDataException), "whole number")]
    [DataRow("tokenizer.json", """{"model":{"vocab":{"a":0,"b":1,"c":2,"d":3,"e":4,"a":5}}}""", typeof(InvalidDataException), "not valid JSON")]
    [DataRow("tokenizer.json", """{"model":{"vocab":{"a":0,"b":1,"c":2,"d":3,"e":4,"f":5},"merges":[{"a":0,"a":1}]}}""", typeof(InvalidDataException), "not valid JSON")]
    [DataRow("tokenizer.json", """{"model":{"vocab":{"a":0,"b":1,"c":2,"d":3,"e":4,"\ud800":5}}}""", typeof(InvalidDataException), "not valid JSON")]
    [DataRow("tokenizer.json", """{"model":{"vocab":{"a":0,"b":1,"c":2,"d":3,"e":4,"f":5}}""", typeof(InvalidDataException), "not valid JSON")]
    [DataRow("modules.json", """[{"path":"","type":"m.Transformer"},{"path":"1_Pooling","type":"m.Pooling"},{"path":"2_Dense","type":"m.Dense"}]""", typeof(NotSupportedException), "Dense")]
    [DataRow("modules.json", """[{"path":"","type":"m.Transformer"}]""", typeof(NotSupportedException), "Pooling")]
    [DataRow("modules.json", """[]""", typeof(NotSupportedException), "modules")]
    [DataRow("modules.json", """{}""", typeof(InvalidDataException), "list")]
    [DataRow("modules.json", """[{"path":"../elsewhere","type":"m.Transformer"},{"path":"1_Pooling","type":"m.Pooling"}]""", typeof(InvalidDataException), "outside")]
    [DataRow("modules.json", """[{"path":"/etc","type":"m.Transformer"},{"path":"1_Pooling","type":"m.Pooling"}]""", typeof(InvalidDataException), "outside")]
    [DataRow("modules.json", """[{"path":"a\\..\\b","type":"m.Transformer"},{"path":"1_Pooling","type":"m.Pooling"}]""", typeof(InvalidDataException), "outside")]
    [DataRow("modules.json", """[{"path":"","type":"m.Transformer"},{"path":"nowhere","type":"m.Pooling"}]""", typeof(FileNotFoundException), "nowhere")]
    [DataRow("1_Pooling/config.json", """{"pooling_mode":"attention"}""", typeof(NotSupportedException), "attention")]
    [DataRow("1_Pooling/config.json", """{"pooling_mode_mean_tokens":false}""", typeof(InvalidDataException), "every pooling mode off")]
    [DataRow("1_Pooling/config.json", """{"pooling_mode_mean_tokens":1}""", typeof(InvalidDataException), "true or false")]
    [DataRow("1_Pooling/config.json", """{"pooling_mode":"mean","embedding_dimension":768}""", typeof(InvalidDataException), "768")]
    [DataRow("config_sentence_transformers.json", """{"prompts":{"a":"b"},"default_prompt_name":"query"}""", typeof(InvalidDataException), "query")]
    [DataRow("config_sentence_transformers.json", """{"prompts":{"a":1}}""", typeof(InvalidDataException), "a string")]
    [DataRow("config_sentence_transformers.json", """{"prompts":{"a":"\udc00"}}""", typeof(InvalidDataException), "not Unicode")]
    [DataRow("sentence_bert_config.json", """{"max_seq_length":0}""", typeof(InvalidDataException), "max_seq_length")]
    [DataRow("sentence_bert_config.json", """{"max_seq_length":16,"do_lower_case":true}""", typeof(NotSupportedException), "lower")]
    public void SpoiltFileIsRefusedWithTheReason(string file, string content, Type expected, string fragment)
    {
        using var folder = new TemporaryFolder();
        TinyModel model = TinyModel.SentenceTransformers();
        model.Files[file] = content;
        Refused(() => LacosModel.Load(model.WriteTo(folder.Path)), expected, fragment);
    }

    [TestMethod]
    public void MissingPartsAreNamed()
    {
        foreach (string file in (string[])["config.json", "tokenizer.json", "model.safetensors"])
        {
            using var folder = new TemporaryFolder();
            new TinyModel().WriteTo(folder.Path);
            File.Delete(folder.File(file));
            Refused(() => LacosModel.Load(folder.Path), typeof(FileNotFoundException), file);
        }
        Refused(() => LacosModel.Load("no/such/model"), typeof(FileNotFoundException), "no/such/model");
    }

    [TestMethod]
    [DataRow("config.json")]
    [DataRow("modules.json")]
    [DataRow("model.safetensors")]
    [DataRow("model.safetensors.index.json")]
    [DataRow("tokenizer.json")]
    [DataRow("tokenizer_config.json")]
    [DataRow("README.md")]
    [DataRow("m.lacos")]
    public async Task APipeInPlaceOfAFileIsRefusedAndNotWaitedFor(string name)
    {
        using var folder = new TemporaryFolder();
        TinyModel.SentenceTransformers().WriteTo(folder.Path);
        File.Delete(folder.File(name == "model.safetensors.index.json" ? "model.safetensors" : name));
        string pipe = SpecialFile.Pipe(folder.File(name));
        string model = name == "m.lacos" ? pipe : folder.Path;
        Task<InvalidDataException> refused = Task.Run(() => Assert.ThrowsExactly<InvalidDataException>(() => LacosModel.Load(model).Dispose()));
        StringAssert.Contains((await refused.WaitAsync(TimeSpan.FromSeconds(30)).ConfigureAwait(false)).Message, $"'{pipe}' is a pipe");
    }

    [TestMethod]
    [DataRow("modules.json", """[{"type":"TEXT"}]""")]
    [DataRow("modules.json", """[{"path":"../TEXT","type":"m.Transformer"}]""")]
    [DataRow("tokenizer_config.json", """{"truncation_side":"TEXT"}""")]
    [DataRow("tokenizer.json", """{"model":{"vocab":{"TEXT":0,"TEXT":1}}}""")]
    public void AMessageIsShortAndPrintableWhateverTheFileSays(string file, string content)
    {
        using var folder = new TemporaryFolder();
        TinyModel model = TinyModel.SentenceTransformers();
        model.Files[file] = content.Replace("TEXT", "\\u001b[31m" + new string('x', 10_000), StringComparison.Ordinal);
        Assert.IsNotNull(Refusal.Of(() => LacosModel.Load(model.WriteTo(folder.Path)).Dispose(), file));
    }

    [TestMethod]
    public void OfAModelCardOnlyTheBeginningIsRead()
    {
        using var folder = new TemporaryFolder();
        string path = new TinyModel().WriteTo(folder.Path);
        using (FileStream card = File.Create(folder.File("README.md")))
        {
            card.Write("---\nlanguage: "u8);
            card.SetLength(1L << 28);
        }
        long before = GC.GetAllocatedBytesForCurrentThread();
        using LacosModel model = LacosModel.Load(path);
        Assert.IsLessThan(16L << 20, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.IsFalse(model.Provenance.ContainsKey(ModelProvenance.License));
    }

    [TestMethod]
    public void EveryMissingTensorIsNamedAndEveryWrongShapeShown()
    {
        foreach (string name in new TinyModel().Tensors.Keys)
        {
            using var folder = new TemporaryFolder();
            var model = new TinyModel();
            (int[] shape, float[] values) = model.Tensors[name];
            model.Tensors.Remove(name);
            Refused(() => BloomCheckpoint.Load(model.WriteTo(folder.Path)), typeof(InvalidDataException), name);
            model.Tensors[name] = ([.. shape, 1], values);
            Refused(() => BloomCheckpoint.Load(model.WriteTo(folder.Path)), typeof(InvalidDataException), name);
        }
    }

    [TestMethod]
    [DataRow(QuantizationScheme.None)]
    [DataRow(QuantizationScheme.Rowwise)]
    [DataRow(QuantizationScheme.BlockwiseDynamic)]
    public void NonFiniteWeightIsRefusedNamingItsTensor(QuantizationScheme scheme)
    {
        foreach (string name in new TinyModel().Tensors.Keys)
        {
            using var folder = new TemporaryFolder();
            var model = new TinyModel();
            model.Tensors[name].Values[5] = name.Length % 2 == 0 ? float.NaN : float.NegativeInfinity;
            Refused(() => BloomCheckpoint.Load(model.WriteTo(folder.Path), scheme), typeof(InvalidDataException), name);
        }
    }

    [TestMethod]
    public void PickledWeightsAreRefusedUnread()
    {
        using var folder = new TemporaryFolder();
        new TinyModel().WriteTo(folder.Path);
        File.Move(folder.File("model.safetensors"), folder.File("pytorch_model.bin"));
        Refused(() => LacosModel.Load(folder.Path), typeof(NotSupportedException), "pickle");
    }

    [TestMethod]
    public void ATokenizerOfHalfTheRowsIsTakenAndOneOfFewerIsNot()
    {
        byte[] json = """{"model":{"vocab":{"a":0,"b":1,"c":2}}}"""u8.ToArray();
        TokenizerVocabulary.Check(json, 6, "tokenizer.json");
        Assert.Contains("has 3 tokens for an embedding table of 8 rows", Assert.ThrowsExactly<InvalidDataException>(() => TokenizerVocabulary.Check(json, 8, "tokenizer.json")).Message);
    }

    [TestMethod]
    [DataRow(".safetensors")]
    [DataRow(".hidden.safetensors")]
    [DataRow("../model.safetensors")]
    [DataRow("/tmp/model.safetensors")]
    [DataRow("a\\\\model.safetensors")]
    [DataRow("C:model.safetensors")]
    [DataRow("..")]
    [DataRow("")]
    [DataRow("model.bin")]
    public void IndexThatLeavesTheFolderIsRefused(string shard)
    {
        using var folder = new TemporaryFolder();
        new TinyModel().WriteTo(folder.Path);
        File.Delete(folder.File("model.safetensors"));
        File.WriteAllText(folder.File("model.safetensors.index.json"), "{\"weight_map\":{\"ln_f.bias\":\"" + shard + "\"}}");
        Refused(() => LacosModel.Load(folder.Path), typeof(InvalidDataException), "plain");
    }

    [TestMethod]
    [DataRow("""{"weight_map":{"ln_f.bias":"gone.safetensors"}}""", typeof(FileNotFoundException), "gone.safetensors")]
    [DataRow("""{"weight_map":{"other":"shard.safetensors"}}""", typeof(InvalidDataException), "does not hold")]
    [DataRow("""{"weight_map":[]}""", typeof(InvalidDataException), "index")]
    [DataRow("""{}""", typeof(InvalidDataException), "index")]
    [DataRow("", typeof(InvalidDataException), "index")]
    public void BrokenIndexIsRefused(string index, Type expected, string fragment)
    {
        using var folder = new TemporaryFolder();
        new TinyModel().WriteTo(folder.Path);
        File.Move(folder.File("model.safetensors"), folder.File("shard.safetensors"));
        File.WriteAllText(folder.File("model.safetensors.index.json"), index);
        Refused(() => LacosModel.Load(folder.Path), expected, fragment);
    }

    [TestMethod]
    public void LaterFormatVersionAndForeignSafetensorsAreToldApart()
    {
        using var folder = new TemporaryFolder();
        byte[] bytes = LacosBytes(folder, QuantizationScheme.Rowwise);
        int at = bytes.AsSpan().IndexOf("\"lacos.format\":\"1\""u8);
        bytes[at + "\"lacos.format\":\"".Length] = (byte)'3';
        Refused(() => LacosModel.Load(new MemoryStream(bytes)), typeof(NotSupportedException), "version '3'");
        Refused(() => LacosModel.Load(folder.File("model.safetensors")), typeof(InvalidDataException), "no .lacos model");
    }

    [TestMethod]
    [DataRow(QuantizationScheme.None)]
    [DataRow(QuantizationScheme.Rowwise)]
    [DataRow(QuantizationScheme.BlockwiseLinear)]
    public void FlippedBytesNeverDoMoreThanThrow(QuantizationScheme scheme)
    {
        using var folder = new TemporaryFolder();
        byte[] bytes = LacosBytes(folder, scheme);
        int header = BitConverter.ToInt32(bytes) + 8;
        Gen<int> position = Gen.OneOf(Gen.Int[0, header - 1], Gen.Int[0, bytes.Length - 1]);
        Gen.Select(position, Gen.Byte, position, Gen.Byte).Array[1, 3].Sample(flips =>
        {
            byte[] spoilt = [.. bytes];
            foreach ((int first, byte a, int second, byte b) in flips)
            {
                spoilt[first] ^= a;
                spoilt[second] = b;
            }
            LoadAndRead(spoilt);
        }, iter: 3000);
    }

    [TestMethod]
    public void EveryTruncationOfAModelIsRefused()
    {
        using var folder = new TemporaryFolder();
        byte[] bytes = LacosBytes(folder, QuantizationScheme.Rowwise);
        for (int length = 0; length < bytes.Length; length++)
        {
            int cut = length;
            Refused(() => LacosModel.Load(new MemoryStream(bytes, 0, cut)), typeof(InvalidDataException), "");
        }
    }

    [TestMethod]
    public void FlippedBytesInAFolderNeverDoMoreThanThrow()
    {
        using var folder = new TemporaryFolder();
        TinyModel.SentenceTransformers().WriteTo(folder.Path);
        string[] files = [.. Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        byte[][] contents = [.. files.Select(File.ReadAllBytes)];
        Gen.Select(Gen.Int[0, files.Length - 1], Gen.Int[0, int.MaxValue], Gen.Byte).Sample((file, position, value) =>
        {
            byte[] spoilt = [.. contents[file]];
            spoilt[position % Math.Min(spoilt.Length, 4000)] = value;
            File.WriteAllBytes(files[file], spoilt);
            Allowed(() => LacosModel.Load(folder.Path).Dispose());
            File.WriteAllBytes(files[file], contents[file]);
        }, iter: 600, threads: 1);
    }

    private static byte[] LacosBytes(TemporaryFolder folder, QuantizationScheme scheme)
    {
        using LacosModel model = LacosModel.Load(TinyModel.SentenceTransformers().WriteTo(folder.Path), new LacosModelLoadOptions { Scheme = scheme, BlockSize = 16 });
        using var stream = new MemoryStream();
        model.Save(stream);
        return stream.ToArray();
    }

    private static void LoadAndRead(byte[] bytes) => Allowed(() =>
    {
        using LacosModel model = LacosModel.Load(new MemoryStream(bytes));
        foreach (BloomBlockWeights block in model.Weights.Blocks)
        {
            foreach (WeightMatrix matrix in (WeightMatrix[])[block.QueryKeyValue.Weight, block.Dense.Weight, block.DenseHTo4H.Weight, block.Dense4HToH.Weight, model.Weights.WordEmbeddings])
            {
                var row = new float[matrix.Columns];
                for (int index = 0; index < matrix.Rows; index++)
                {
                    matrix.DequantizeRow(index, row);
                }
            }
        }
        Assert.AreEqual(64, model.Fingerprint.Length);
    });

    private static void Allowed(Action action)
    {
        try
        {
            action();
        }
        catch (Exception error) when (error is InvalidDataException or FileNotFoundException or NotSupportedException)
        {
            Assert.AreNotEqual("", error.Message);
        }
    }

    private static void Refused(Func<IDisposable> load, Type expected, string fragment)
    {
        try
        {
            load().Dispose();
        }
        catch (Exception error) when (error.GetType() == expected)
        {
            StringAssert.Contains(error.Message, fragment);
            return;
        }
        throw new AssertFailedException("The model was accepted.");
    }
}
