using System.Runtime.InteropServices;
using EditorBridge.Models.Gguf;

namespace EditorBridge.Diffusion.Text;

/// <summary>The SentencePiece model that a GGUF text encoder carries in its metadata, under llama.cpp's names (<c>tokenizer.ggml.…</c>).</summary>
internal static class GgufTokenizer
{
    private const string Keys = "tokenizer.ggml.";

    /// <summary>Takes the model out of a file.</summary>
    /// <exception cref="InvalidDataException">There is none of UMT5's kind, or its parts do not go together.</exception>
    public static SentencePieceModel Read(GgufFile file)
    {
        var metadata = file.Header.Metadata;
        if (metadata.GetValueOrDefault(Keys + "model") is not "t5")
            throw new InvalidDataException("It carries no tokenizer of T5's kind.");
        var texts = file.Texts(Keys + "tokens");
        if (texts is null || Numbers<float>(file, "scores", 6) is not { } scores || Numbers<int>(file, "token_type", 5) is not { } kinds
            || texts.Count == 0 || scores.Length != texts.Count || kinds.Length != texts.Count)
            throw new InvalidDataException("Its tokenizer is damaged: pieces, scores and kinds are not as many.");

        bool Flag(string key, bool otherwise) => metadata.GetValueOrDefault(Keys + key) as bool? ?? otherwise;
        int Id(string key, int otherwise) => metadata.GetValueOrDefault(Keys + key) is long id and >= 0 && id < texts.Count ? (int)id : otherwise;
        return new SentencePieceModel
        {
            Pieces = [.. texts.Select((text, id) => new Piece(text, scores[id], (PieceKind)kinds[id]))],
            CharacterMap = Numbers<byte>(file, "precompiled_charsmap", 0) ?? Numbers<byte>(file, "precompiled_charsmap", 1) ?? [],
            // The format has no flag for it: a vocabulary has pieces for bytes only to use them.
            ByteFallback = kinds.Contains((int)PieceKind.Byte),
            AddDummyPrefix = Flag("add_space_prefix", true),
            RemoveExtraWhitespace = Flag("remove_extra_whitespaces", true),
            UnknownId = Id("unknown_token_id", Math.Max(0, Array.IndexOf(kinds, (int)PieceKind.Unknown))),
            EndId = Id("eos_token_id", 1),
            PadId = Id("padding_token_id", 0),
        };
    }

    private static T[]? Numbers<T>(GgufFile file, string key, int type)
        where T : struct
        => file.Header.Metadata.GetValueOrDefault(Keys + key) is GgufList list && list.Type == type ? [.. MemoryMarshal.Cast<byte, T>(file.Bytes(list))] : null;
}
