using System.Globalization;
using System.Text;
using System.Text.Json;
using EditorBridge.Diffusion.Text;

namespace EditorBridge.Diffusion.Parity;

/// <summary>Cases of <c>tokenizer</c>: <c>cases.json</c> with strings of all sorts, and batches padded to a length.</summary>
internal static class TokenizerParity
{
    private const int Length = 512;

    /// <summary>A batch: <c>out.ids_N</c> and <c>out.mask_N</c> of the texts in the metadata.</summary>
    public static bool Run(GoldenFile golden, GoldenComparison comparison)
    {
        var batches = golden.Names.Where(name => name.StartsWith("out.ids_", StringComparison.Ordinal)).ToList();
        if (batches.Count == 0)
            return false;
        var tokenizer = SentencePieceTokenizer.Load(Path.Combine(Path.GetDirectoryName(golden.Path)!, "spm_bytefallback.model"));
        var texts = golden.Json("texts").EnumerateArray().Select(text => text.GetString()!).ToList();
        foreach (var name in batches)
        {
            var length = int.Parse(name["out.ids_".Length..], CultureInfo.InvariantCulture);
            var (ids, mask) = TokenBatch.Of([.. texts.Select(text => tokenizer.EncodePrompt(text, length))], length, tokenizer.PadId);
            comparison.Absolute(name, ids, 0);
            comparison.Absolute(name.Replace("ids", "mask", StringComparison.Ordinal), mask, 0);
        }

        return true;
    }

    /// <summary>The strings of <c>cases.json</c>.</summary>
    /// <param name="path">The file; both tokenizers lie beside it.</param>
    /// <returns>What differs, one sentence each.</returns>
    public static IReadOnlyList<string> RunCases(string path)
    {
        var folder = Path.GetDirectoryName(path)!;
        var withBytes = SentencePieceTokenizer.Load(Path.Combine(folder, "spm_bytefallback.model"));
        var plain = SentencePieceTokenizer.Load(Path.Combine(folder, "spm_plain.model"));
        using var json = JsonDocument.Parse(File.ReadAllBytes(path));
        var problems = new List<string>();
        var at = 0;
        foreach (var golden in json.RootElement.GetProperty("cases").EnumerateArray())
        {
            var (text, clean) = (Text(golden, "text"), Text(golden, "clean"));
            if (golden.TryGetProperty("ftfy_fix_text", out _))
                Check("ftfy_fix_text", Text(golden, "ftfy_fix_text") == PromptCleaning.Repair(text));
            Check("clean", clean == PromptCleaning.Clean(text));
            CheckIds("sp_ids", withBytes.Encode(clean));
            CheckIds("sp_ids_plain", plain.Encode(clean));
            CheckIds("input_ids", withBytes.EncodePrompt(text, Length));
            CheckIds("input_ids_plain", plain.EncodePrompt(text, Length));
            CheckIds("sp_ids_of_raw_text", withBytes.Encode(text));
            at++;

            // Null where the text holds lone surrogates, which SentencePiece itself does not take.
            void CheckIds(string name, IReadOnlyList<int> ids)
            {
                if (golden.TryGetProperty(name, out var expected) && expected.ValueKind == JsonValueKind.Array)
                    Check(name, expected.EnumerateArray().Select(id => id.GetInt32()).SequenceEqual(ids));
            }

            void Check(string name, bool equal)
            {
                if (!equal) problems.Add($"{name} of string {at} differs");
            }
        }

        if (!json.RootElement.TryGetProperty("special_token_strings", out var special))
            return problems;
        foreach (var golden in special.EnumerateArray())
        {
            if (!golden.GetProperty("sp_ids").EnumerateArray().Select(id => id.GetInt32()).SequenceEqual(withBytes.Encode(Text(golden, "text"))))
                problems.Add($"sp_ids of '{Text(golden, "text")}' differ");
        }

        return problems;
    }

    /// <summary>A string of the file. Some hold lone surrogates, which <see cref="JsonElement.GetString"/> refuses.</summary>
    internal static string Text(JsonElement of, string name)
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
            if (raw[i] == 'u')
            {
                text.Append((char)ushort.Parse(raw.AsSpan(i + 1, 4), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
                i += 4;
            }
            else
                text.Append(raw[i] switch { 'n' => '\n', 'r' => '\r', 't' => '\t', 'b' => '\b', 'f' => '\f', var escape => escape });
        }

        return text.ToString();
    }
}
