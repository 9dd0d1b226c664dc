using CsCheck;
using EditorBridge.Diffusion.Text;

namespace EditorBridge.Diffusion.Tests.Text;

public sealed class PromptCleaningTests
{
    [Theory]
    [MemberData(nameof(TokenizerCases.Indices), MemberType = typeof(TokenizerCases))]
    public void RepairsAndCleansAsTheReferenceDoes(int index)
    {
        var golden = TokenizerCases.Of(index);
        var text = TokenizerCases.Text(golden, "text");
        Assert.Equal(TokenizerCases.Text(golden, "ftfy_fix_text"), PromptCleaning.Repair(text));
        Assert.Equal(TokenizerCases.Text(golden, "clean"), PromptCleaning.Clean(text));
    }

    [Theory]
    [InlineData("not such a fan of Charlotte Brontë…”")]
    [InlineData("AHÅ™, the new sofa from IKEA®")]
    [InlineData("« privé…» dit-il, à l’ouest")]
    [InlineData("JOSÉ’s café, 25 °C, ±2 µm, ½ price")]
    [InlineData("naïve façade, Ærø, Łódź, Ångström")]
    public void HonestTextIsNotMistakenForDamage(string text) =>
        Assert.Equal(text.Replace('’', '\'').Replace('”', '"'), PromptCleaning.Repair(text));

    [Theory]
    [InlineData("voilÃ le travail Ã©tÃ©", "voilà le travail été")]
    [InlineData("ÃƒÂ©tÃƒÂ©", "été")] // misread twice
    [InlineData("ðŸ˜€ ä¸€", "😀 一")]
    [InlineData("25 Â°C", "25 °C")]
    [InlineData("&EACUTE;&eacute; &hellip;", "Éé …")]
    [InlineData("&#133;&#x92;", "…'")]
    public void DamageIsRepaired(string damaged, string meant) => Assert.Equal(meant, PromptCleaning.Repair(damaged));

    [Fact]
    public void CleaningIsDoneOnceAndForAll() =>
        Gen.String[Gen.Char["aeÃ©â€™œ„ \t\r\n&;#x3<lgtamp\u0085\u0091\u0301\u1112\u1161ﬁＡ\ud83d\ude00\u001b[m"], 0, 24]
            .Sample(text => PromptCleaning.Repair(PromptCleaning.Repair(text)) == PromptCleaning.Repair(text) || text.Contains('&') || text.Contains('\n') || text.Contains('\r') || text.Contains('\u0085'));

    [Fact]
    public void LongDamagedTextIsCleanedInTime()
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        Assert.Equal(new string('é', 50_000), PromptCleaning.Clean(string.Concat(Enumerable.Repeat("Ã©", 50_000))));
        PromptCleaning.Clean(string.Concat(Enumerable.Repeat("å\u00aa", 50_000)));
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5));
    }
}
