using System.Text;
using System.Text.Json;
using CsCheck;
using EditorBridge.Timeline.Json;

namespace EditorBridge.Timeline.Tests;

public class JsonReaderTests
{
    [Fact]
    public void Spans_are_the_bytes_that_spell_a_value()
    {
        var text = "\uFEFF{ \"a\" : [1e2,\r\n\t-0.5E+1, \"\\u00e9\\ud83d\\ude00é\"], \"a\": {\"b\":null} , \"c\":true}"u8.ToArray();
        var root = JsonReader.Read(text).Value;
        var first = root.Members[0].Value;
        Assert.Equal("1e2", first.Items[0].RawText);
        Assert.Equal(100, first.Items[0].AsNumber());
        Assert.Equal(-5, first.Items[1].AsNumber());
        Assert.Equal("é😀é", first.Items[2].AsString());
        Assert.Equal("{\"b\":null}", root["a"]!.RawText);
        Assert.True(root["c"]!.AsBoolean());
        Assert.Equal("\"a\"", Encoding.UTF8.GetString(text, root.Members[0].NameStart, 3));
    }

    [Theory]
    [InlineData("NaN", double.NaN)]
    [InlineData("-Infinity", double.NegativeInfinity)]
    [InlineData("Inf", double.PositiveInfinity)]
    public void Takes_the_numbers_that_OpenTimelineIO_writes(string text, double value) =>
        Assert.Equal(value, JsonReader.Read(Encoding.UTF8.GetBytes(text)).Value.AsNumber());

    [Theory]
    [InlineData("{\n  \"a\": 1,\n}", 3, 1)]
    [InlineData("[1 2]", 1, 4)]
    [InlineData("{\"é\": x}", 1, 7)]
    [InlineData("\"abc", 1, 1)]
    [InlineData("\"a\nb\"", 1, 3)]
    [InlineData("\"\\x\"", 1, 3)]
    [InlineData("\"\\u12g4\"", 1, 6)]
    [InlineData("01", 1, 2)]
    [InlineData("1.", 1, 3)]
    [InlineData("1e", 1, 3)]
    [InlineData("", 1, 1)]
    [InlineData("{\"a\":1} x", 1, 9)]
    [InlineData("tru", 1, 1)]
    public void Says_where_a_document_stops_being_JSON(string text, int line, int column) =>
        Assert.Contains($"line {line}, column {column}:", JsonReader.Read(Encoding.UTF8.GetBytes(text)).Refusal!.Message, StringComparison.Ordinal);

    [Fact]
    public void Refuses_nesting_without_end()
    {
        var text = Encoding.UTF8.GetBytes(new string('[', 100_000));
        Assert.Contains("nested more than", JsonReader.Read(text).Refusal!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_UTF16() =>
        Assert.Contains("UTF-16", JsonReader.Read(Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes("{}")).ToArray()).Refusal!.Message, StringComparison.Ordinal);

    [Fact]
    public void Lone_surrogates_do_not_stop_it() => Assert.Equal("a\uFFFDb", JsonReader.Read("\"a\\ud800b\""u8.ToArray()).Value.AsString());

    [Fact]
    public void Agrees_with_the_framework_on_what_is_JSON()
    {
        // Mutated JSON: the framework's strict reader is the judge, but for the literals it lacks and for depth.
        var seeds = new[] { "{\"a\":[1,2.5e-3,\"x\\n\"],\"b\":{\"c\":null,\"d\":[true,false,{}]}}", "[0,-1,\"\\u0041\",[],[[]]]" };
        Gen.Select(Gen.Int[0, seeds.Length - 1], Gen.Int[0, 60], Gen.OneOf("{}[],:\"\\0123456789eE+-. \ntfnu".ToCharArray()), Gen.Int[0, 2])
            .Sample((seed, at, with, how) =>
            {
                var text = seeds[seed];
                at %= text.Length;
                text = how switch
                {
                    0 => text.Remove(at, 1),
                    1 => text.Insert(at, with.ToString()),
                    _ => text.Remove(at, 1).Insert(at, with.ToString()),
                };
                bool strict;
                try
                {
                    using var parsed = JsonDocument.Parse(text);
                    strict = true;
                }
                catch (JsonException)
                {
                    strict = false;
                }

                Assert.Equal(strict, JsonReader.Read(Encoding.UTF8.GetBytes(text)).Refusal is null);
            }, iter: 20_000);
    }
}
