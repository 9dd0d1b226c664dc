using System.Text.Json;
using CsCheck;
using EditorBridge.Diffusion.Tests.Goldens;
using EditorBridge.Diffusion.Text;

namespace EditorBridge.Diffusion.Tests.Text;

public sealed class SentencePieceTokenizerTests
{
    private static readonly SentencePieceTokenizer WithBytes = SentencePieceTokenizer.Load(GoldenCase.PathOf("tokenizer/spm_bytefallback.model"));
    private static readonly SentencePieceTokenizer Plain = SentencePieceTokenizer.Load(GoldenCase.PathOf("tokenizer/spm_plain.model"));

    [Fact]
    public void ModelsSayTheirSpecialIds()
    {
        Assert.Equal((1000, 0, 1, 3), (WithBytes.VocabularySize, WithBytes.PadId, WithBytes.EndId, WithBytes.UnknownId));
        Assert.Equal((700, 0, 1, 2), (Plain.VocabularySize, Plain.PadId, Plain.EndId, Plain.UnknownId));
    }

    [Theory]
    [MemberData(nameof(TokenizerCases.Indices), MemberType = typeof(TokenizerCases))]
    public void IdsAreThoseOfTheReference(int index)
    {
        var golden = TokenizerCases.Of(index);
        var clean = TokenizerCases.Text(golden, "clean");
        Assert.Equal(TokenizerCases.Ids(golden, "sp_ids"), WithBytes.Encode(clean));
        Assert.Equal(TokenizerCases.Ids(golden, "sp_ids_plain"), Plain.Encode(clean));

        var text = TokenizerCases.Text(golden, "text");
        Assert.Equal(TokenizerCases.Ids(golden, "input_ids"), WithBytes.EncodePrompt(text, 512));
        Assert.Equal(TokenizerCases.Ids(golden, "input_ids_plain"), Plain.EncodePrompt(text, 512));
        if (golden.GetProperty("sp_ids_of_raw_text").ValueKind == JsonValueKind.Array)
            Assert.Equal(TokenizerCases.Ids(golden, "sp_ids_of_raw_text"), WithBytes.Encode(text));
    }

    [Fact]
    public void LiteralSpecialTokensAreText()
    {
        foreach (var golden in TokenizerCases.SpecialTokenStrings())
            Assert.Equal(TokenizerCases.Ids(golden, "sp_ids"), WithBytes.Encode(TokenizerCases.Text(golden, "text")));
    }

    [Theory]
    [InlineData(512)]
    [InlineData(32)]
    public void BatchesArePaddedAsTheReferencePads(int length)
    {
        using var golden = GoldenCase.Open("tokenizer/batch");
        using var ids = golden[$"out.ids_{length}"];
        using var mask = golden[$"out.mask_{length}"];
        var texts = JsonSerializer.Deserialize<string[]>(golden.Metadata["texts"])!;
        var (actualIds, actualMask) = TokenBatch.Of([.. texts.Select(t => WithBytes.EncodePrompt(t, length))], length, WithBytes.PadId);
        using (actualIds)
        using (actualMask)
        {
            Assert.Equal(ids.data<long>().ToArray(), actualIds.data<long>().ToArray());
            Assert.Equal(mask.data<long>().ToArray(), actualMask.to(TorchSharp.torch.int64).data<long>().ToArray());
        }
    }

    [Fact]
    public void AnythingCanBeEncoded() =>
        Gen.String.Sample(text =>
        {
            var ids = WithBytes.EncodePrompt(text, 64);
            return ids.Count is >= 1 and <= 64 && ids[^1] == 1 && ids.All(id => id is >= 0 and < 1000);
        });

    [Fact]
    public void ADamagedModelIsRefusedByName()
    {
        var whole = File.ReadAllBytes(GoldenCase.PathOf("tokenizer/spm_plain.model"));
        var path = Path.GetTempFileName();
        try
        {
            foreach (var length in new[] { 0, 1, 100, whole.Length / 2 })
            {
                File.WriteAllBytes(path, whole[..length]);
                Assert.Contains(path, Assert.Throws<InvalidDataException>(() => SentencePieceTokenizer.Load(path)).Message);
            }
        }
        finally
        {
            File.Delete(path);
        }
    }
}
