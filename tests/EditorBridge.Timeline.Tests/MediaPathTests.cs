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

    [Fact]
    public void Every_path_comes_back_from_its_url()
    {
        if (OperatingSystem.IsWindows()) return;
        Gen.String[Gen.OneOf(Gen.Char.AlphaNumeric, Gen.OneOf(" %#?äé日&+'\"\\:;".ToCharArray())), 1, 20]
            .Where(name => name.Trim('.') != "")
            .Sample(name => Assert.Equal("/m/" + name, MediaPath.Resolve(MediaPath.ToUrl("/m/" + name), "/").Value));
    }
}
