using System.Globalization;
using System.Text;
using System.Text.Json;
using EditorBridge.Diffusion.Tests.Goldens;

namespace EditorBridge.Diffusion.Tests.Text;

/// <summary>Strings with what the reference made of them (<c>Data/tokenizer/cases.json</c>).</summary>
public static class TokenizerCases
{
    private static readonly JsonElement Root = JsonDocument.Parse(File.ReadAllBytes(GoldenCase.PathOf("tokenizer/cases.json"))).RootElement;

    public static JsonElement Of(int index) => Root.GetProperty("cases")[index];

    public static TheoryData<int> Indices() => [.. Enumerable.Range(0, Root.GetProperty("cases").GetArrayLength())];

    public static IEnumerable<JsonElement> SpecialTokenStrings() => Root.GetProperty("special_token_strings").EnumerateArray();

    public static int[] Ids(JsonElement of, string name) => [.. of.GetProperty(name).EnumerateArray().Select(static i => i.GetInt32())];

    /// <summary>A string of the file. Some hold lone surrogates, which <see cref="JsonElement.GetString"/> refuses.</summary>
    public static string Text(JsonElement of, string name)
    {
        var raw = of.GetProperty(name).GetRawText();
        var text = new StringBuilder(raw.Length);
        for (var i = 1; i < raw.Length - 1; i++)
        {
            if (raw[i] != '\\')
            {
                text.Append(raw[i]);
                continue;
            }
            i++;
            switch (raw[i])
            {
                case 'u':
                    text.Append((char)ushort.Parse(raw.AsSpan(i + 1, 4), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
                    i += 4;
                    break;
                case var escape:
                    text.Append(escape switch { 'n' => '\n', 'r' => '\r', 't' => '\t', 'b' => '\b', 'f' => '\f', _ => escape });
                    break;
            }
        }
        return text.ToString();
    }
}
