using CsCheck;

namespace EditorBridge.Timeline.Tests;

public class MediaPathTests
{
    [Theory]
    [InlineData("file:///media/a%20b.mov", "/media/a b.mov")]
    [InlineData("file://localhost/media/a.mov", "/media/a.mov")]
    [InlineData("file:/media/a.mov", "/media/a.mov")]
    [InlineData("/media/100%.mov", "/media/100%.mov")]
    [InlineData("media/a.mov", "/project/media/a.mov")]
    [InlineData("../a.mov", "/a.mov")]
    public void Resolves(string url, string path)
    {
        if (OperatingSystem.IsWindows()) return;
        Assert.Equal(path, MediaPath.Resolve(url, "/project").Value);
    }

    [Theory]
    [InlineData("")]
    [InlineData("http://example.org/a.mov")]
    [InlineData("file://server/share/a.mov")]
    [InlineData("C:\\media\\a.mov")]
    [InlineData("file:///C:/media/a.mov")]
    public void Names_what_is_not_on_this_machine(string url)
    {
        if (OperatingSystem.IsWindows()) return;
        Assert.Equal("MEDIA_OFFLINE", MediaPath.Resolve(url, "/project").Refusal!.Reason);
    }

    [Theory]
    [InlineData("media/a.mov", "../media/a.mov")]
    [InlineData("./a%20b.mov", "../a%20b.mov")]
    [InlineData("out/a.mov", "a.mov")]
    [InlineData("../a.mov", "../../a.mov")]
    [InlineData("/media/a.mov", "/media/a.mov")]
    [InlineData("file:///media/a.mov", "file:///media/a.mov")]
    [InlineData("", "")]
    public void A_document_in_another_folder_means_the_same_file(string url, string rebased)
    {
        if (OperatingSystem.IsWindows()) return;
        Assert.Equal(rebased, MediaPath.Rebase(url, "/cuts/day 1", "/cuts/day 1/out"));
        if (url.Length > 0) Assert.Equal(MediaPath.Resolve(url, "/cuts/day 1").Value, MediaPath.Resolve(rebased, "/cuts/day 1/out").Value);
    }

    [Fact]
    public void Every_path_comes_back_from_its_url()
    {
        if (OperatingSystem.IsWindows()) return;
        Gen.String[Gen.OneOf(Gen.Char.AlphaNumeric, Gen.OneOf(" %#?äé日&+'\"\\:;".ToCharArray())), 1, 20]
            .Where(name => name.Trim('.') != "")
            .Sample(name => Assert.Equal("/m/" + name, MediaPath.Resolve(MediaPath.ToUrl("/m/" + name), "/").Value));
    }
}
