using System.Text;
using CsCheck;
using EditorBridge.Timeline.Xml;

namespace EditorBridge.Timeline.Tests;

public class XmlTextTests
{
    [Fact]
    public void Keeps_the_place_of_elements_attributes_and_text()
    {
        var bytes = Encoding.UTF8.GetBytes("\uFEFF<?xml version='1.0' encoding='UTF-8'?>\r\n<!DOCTYPE xmeml>\n<!-- é -->\n<a x=\"1 &lt; 2\" y = '\"'>t&#233;<b/><![CDATA[<&]]>\n  <c>z</c></a>\n<?end?>");
        var root = XmlText.Read(bytes).Value;
        Assert.Equal("1 < 2", root["x"]);
        Assert.Equal("\"", root["y"]);
        Assert.Equal("té<&\n  ", root.Text);
        Assert.Equal(["b", "c"], root.Children.Select(child => child.Name));
        Assert.Equal("<c>z</c>", Encoding.UTF8.GetString(root.Child("c")!.Raw.Span));
        Assert.Equal("\n  ", root.Child("c")!.Lead);
        var x = root.Attribute("x")!;
        Assert.Equal("1 &lt; 2", Encoding.UTF8.GetString(bytes[x.ValueStart..x.ValueEnd]));
        Assert.Equal("<b n=\"&lt;\"/>", Spliced("<b/>", root => root.WithAttribute("n", "<")));
        Assert.Equal("<b>1</b>", Spliced("<b />", root => root.WithText("1")));
        Assert.Equal("<b n=''>2</b>", Spliced("<b n=''>1</b>", root => root.WithText("2")));
    }

    [Theory]
    [InlineData("<a>&lol;</a>", "entity &lol;")]
    [InlineData("<!DOCTYPE a [<!ENTITY lol \"x\">]><a/>", "document type")]
    [InlineData("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", "document type")]
    [InlineData("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a/>", "ISO-8859-1")]
    [InlineData("<a x='1' x='2'/>", "stands twice")]
    [InlineData("<a x=1/>", "not quoted")]
    [InlineData("<a x='1'y='2'/>", "white space")]
    [InlineData("<a x='<'/>", "holds a '<'")]
    [InlineData("<a><b></a></b>", "another name")]
    [InlineData("<a>", "does not end")]
    [InlineData("<a", "does not end")]
    [InlineData("<a/><b/>", "follows the end")]
    [InlineData("<a>&#0;</a>", "&#0;")]
    [InlineData("<a>& b</a>", "no reference")]
    [InlineData("<a>\n\u0001</a>", "line 2, column 1: it holds a control character (code 1)")]
    [InlineData("<a x='\u001b'/>", "(code 27)")]
    [InlineData("<a><!-- </a>", "comment")]
    [InlineData("<1/>", "name")]
    [InlineData("<!-- -->", "missing")]
    [InlineData("</a>", "missing")]
    [InlineData("<![CDATA[x]]><a/>", "missing")]
    [InlineData("<!DOCTYPEa><a/>", "white space")]
    public void Says_what_it_does_not_take(string text, string why)
    {
        var refusal = XmlText.Read(Encoding.UTF8.GetBytes(text)).Refusal!;
        Assert.Equal("DOCUMENT_MALFORMED", refusal.Reason);
        Assert.Contains(why, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_other_encodings_and_deep_nesting()
    {
        Assert.Contains("UTF-16", XmlText.Read(Encoding.Unicode.GetBytes("<a/>")).Refusal!.Message, StringComparison.Ordinal);
        Assert.Contains("UTF-8", XmlText.Read([(byte)'<', (byte)'a', (byte)'>', 0xE9, .. "</a>"u8]).Refusal!.Message, StringComparison.Ordinal);
        Assert.Contains("deep", XmlText.Read(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("<a>", 100_000)))).Refusal!.Message, StringComparison.Ordinal);
        Assert.Equal("UTF-16", TimelineDocument.Open(Encoding.BigEndianUnicode.GetBytes("<a/>")).Refusal!.Message[16..22]);
    }

    [Fact]
    public void Escaped_text_reads_back()
    {
        Gen.String[Gen.Char["<>&\"' aé\t\n\r日"], 0, 20].Sample(text =>
        {
            var root = XmlText.Read(Encoding.UTF8.GetBytes($"<a b=\"{XmlText.Escape(text)}\">{XmlText.Escape(text)}</a>")).Value;
            Assert.Equal(text, root["b"]);
            Assert.Equal(text, root.Text);
        });
    }

    [Fact]
    public void Broken_documents_are_refused_and_never_thrown_at()
    {
        var whole = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Goldens", "generation4.kdenlive"));
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Int[0, 40], Gen.Byte).Sample((at, removed, put) =>
        {
            byte[] broken = [.. whole[..at], put, .. whole[Math.Min(whole.Length, at + removed)..]];
            _ = TimelineDocument.Open(broken).TryGet(out _, out _);
        }, iter: 2000);
    }

    private static string Spliced(string text, Func<XmlNode, TextSplice> change)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return Encoding.UTF8.GetString(TextSplice.Apply(bytes, [change(XmlText.Read(bytes).Value)]));
    }
}
