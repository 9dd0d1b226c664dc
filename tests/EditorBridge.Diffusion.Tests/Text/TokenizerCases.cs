using System.Text.Json;
using EditorBridge.Diffusion.Parity;
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

    public static string Text(JsonElement of, string name) => TokenizerParity.Text(of, name);
}
