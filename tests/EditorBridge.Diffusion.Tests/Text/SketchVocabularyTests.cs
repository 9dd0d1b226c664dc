using System.Runtime.CompilerServices;
using EditorBridge.Diffusion.Text;

namespace EditorBridge.Diffusion.Tests.Text;

public sealed class SketchVocabularyTests
{
    private static readonly SentencePieceTokenizer Sketch = SentencePieceTokenizer.Load(PathOf());

    [Fact]
    public void ItHasTheSizeAndIdsOfTheTextEncoder() =>
        Assert.Equal((1024, 0, 1, 3), (Sketch.VocabularySize, Sketch.PadId, Sketch.EndId, Sketch.UnknownId));

    [Fact]
    public void WordsOfCaptionsAreWhole() =>
        Assert.Equal(
            ["▁wide", "▁shot", "▁of", "▁a", "▁red", "▁car", "▁driving", "▁to", "▁the", "▁left", "▁at", "▁night", ",", "▁the", "▁camera", "▁pans", "▁right", "."],
            Sketch.Encode("Wide shot of a RED car driving to the left at night, the camera pans right.").Select(Sketch.PieceOf));

    [Theory]
    [InlineData("medium close-up of a wizard holding a glowing crystal", 24)]
    [InlineData("Zwei Hunde spielen im Schnee", 24)]
    [InlineData("一只橘色的小猫", 24)]
    public void UnseenWordsSurvive(string prompt, int most)
    {
        var ids = Sketch.EncodePrompt(prompt, 64);
        Assert.InRange(ids.Count, 2, most);
        Assert.DoesNotContain(Sketch.UnknownId, ids);
    }

    private static string PathOf([CallerFilePath] string source = "") => Path.Combine(
        Path.GetDirectoryName(source)!, "..", "..", "..", "src", "EditorBridge.Models", "sketch", "tokenizer", "spiece.model");
}
