using EditorBridge.Diffusion.Tests.Goldens;
using EditorBridge.Diffusion.Text;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Safetensors;
using EditorBridge.Models.Tests.Gguf;

namespace EditorBridge.Diffusion.Tests.Text;

public sealed class PackedTokenizerTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("packed-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("spm_bytefallback")]
    [InlineData("spm_plain")]
    public void TheTokenizerOfAGgufFileGivesTheSameIds(string name)
    {
        var bytes = File.ReadAllBytes(GoldenCase.PathOf($"tokenizer/{name}.model"));
        var model = SentencePieceModel.Read(bytes);
        var path = Path.Combine(folder, "umt5.gguf");
        File.WriteAllBytes(path, Packed(model, model.Pieces.Count).Bytes());
        AssertSame(SentencePieceTokenizer.Read(bytes), SentencePieceTokenizer.LoadPacked(path));
    }

    [Fact]
    public void TheTokenizerOfAComfyFileGivesTheSameIds()
    {
        var bytes = File.ReadAllBytes(GoldenCase.PathOf("tokenizer/spm_bytefallback.model"));
        var path = Path.Combine(folder, "umt5.safetensors");
        SafetensorsWriter.Write(path, [new("spiece_model", TensorType.U8, [bytes.Length], stream => stream.Write(bytes))]);
        AssertSame(SentencePieceTokenizer.Read(bytes), SentencePieceTokenizer.LoadPacked(path));
    }

    [Fact]
    public void AFileWithoutOneIsNamed()
    {
        var plain = Path.Combine(folder, "a.safetensors");
        SafetensorsWriter.Write(plain, [new("x", TensorType.U8, [0], _ => { })]);
        var problem = Assert.Throws<InvalidDataException>(() => SentencePieceTokenizer.LoadPacked(plain)).Message;
        Assert.Contains(plain, problem);
        Assert.Contains("carries no tokenizer", problem);

        var gguf = Path.Combine(folder, "a.gguf");
        File.WriteAllBytes(gguf, new GgufWriter().Value("tokenizer.ggml.model", "gpt2").Bytes());
        Assert.Contains("no tokenizer of T5's kind", Assert.Throws<InvalidDataException>(() => SentencePieceTokenizer.LoadPacked(gguf)).Message);
        var model = SentencePieceModel.Read(File.ReadAllBytes(GoldenCase.PathOf("tokenizer/spm_plain.model")));
        File.WriteAllBytes(gguf, Packed(model, model.Pieces.Count - 1).Bytes());
        Assert.Contains("not as many", Assert.Throws<InvalidDataException>(() => SentencePieceTokenizer.LoadPacked(gguf)).Message);
    }

    private static void AssertSame(SentencePieceTokenizer expected, SentencePieceTokenizer actual)
    {
        Assert.Equal((expected.VocabularySize, expected.EndId, expected.PadId, expected.UnknownId), (actual.VocabularySize, actual.EndId, actual.PadId, actual.UnknownId));
        foreach (var index in TokenizerCases.Indices())
        {
            var text = TokenizerCases.Text(TokenizerCases.Of(index), "text");
            Assert.Equal(expected.EncodePrompt(text, 512), actual.EncodePrompt(text, 512));
        }
    }

    private static GgufWriter Packed(SentencePieceModel model, int scores) => new GgufWriter()
        .Value("tokenizer.ggml.model", "t5")
        .List("tokenizer.ggml.tokens", [.. model.Pieces.Select(piece => piece.Text)])
        .Value("tokenizer.ggml.scores", 9, [.. BitConverter.GetBytes(6), .. BitConverter.GetBytes((long)scores), .. model.Pieces.Take(scores).SelectMany(piece => BitConverter.GetBytes(piece.Score))])
        .List("tokenizer.ggml.token_type", [.. model.Pieces.Select(piece => (int)piece.Kind)])
        .Value("tokenizer.ggml.precompiled_charsmap", 9, [.. BitConverter.GetBytes(0), .. BitConverter.GetBytes((long)model.CharacterMap.Length), .. model.CharacterMap])
        .Value("tokenizer.ggml.add_space_prefix", 7, model.AddDummyPrefix ? (byte)1 : (byte)0)
        .Value("tokenizer.ggml.remove_extra_whitespaces", 7, model.RemoveExtraWhitespace ? (byte)1 : (byte)0)
        .Value("tokenizer.ggml.eos_token_id", 4, BitConverter.GetBytes(model.EndId)).Value("tokenizer.ggml.padding_token_id", 4, BitConverter.GetBytes(Math.Max(0, model.PadId)))
        .Value("tokenizer.ggml.unknown_token_id", 4, BitConverter.GetBytes(model.UnknownId));
}
