using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace EditorBridge.Diffusion.Text;

/// <summary>
/// The normalisation that a SentencePiece model carries: a map of byte sequences to replacements (for <c>nmt_nfkc</c>: NFKC and some
/// cleaning), applied longest match first, then the whitespace rules. The map is a length, a double-array trie (Yata's
/// darts-clone layout) and the replacements as zero-terminated UTF-8.
/// </summary>
internal sealed class SentencePieceNormalizer
{
    private const char Space = '\u2581'; // what SentencePiece writes for a space

    private readonly SentencePieceModel _model;
    private readonly uint[] _trie;
    private readonly byte[] _replacements;
    private readonly string[] _keptWhole;

    public SentencePieceNormalizer(SentencePieceModel model)
    {
        _model = model;
        _keptWhole = [.. model.Pieces.Where(static p => p.Kind == PieceKind.UserDefined).Select(static p => p.Text)
            .OrderByDescending(static t => t.Length)];
        var map = model.CharacterMap;
        if (map.Length == 0)
        {
            (_trie, _replacements) = ([], []);
            return;
        }
        var size = map.Length < 4 ? uint.MaxValue : BinaryPrimitives.ReadUInt32LittleEndian(map);
        if (size > map.Length - 4 || size % 4 != 0)
            throw new InvalidDataException("The SentencePiece model is damaged: its normalisation map is cut short.");
        _trie = new uint[size / 4];
        for (var i = 0; i < _trie.Length; i++)
            _trie[i] = BinaryPrimitives.ReadUInt32LittleEndian(map.AsSpan(4 + (4 * i)));
        _replacements = map[(4 + (int)size)..];
    }

    /// <summary>The text as the vocabulary's pieces are matched against it, spaces as U+2581.</summary>
    public string Normalize(string text)
    {
        var space = _model.EscapeWhitespace ? Space : ' ';
        ReadOnlySpan<byte> rest = Encoding.UTF8.GetBytes(text);
        var normalized = new StringBuilder(text.Length + 1);
        var afterSpace = _model.RemoveExtraWhitespace;
        var started = false;
        while (!rest.IsEmpty)
        {
            var used = Longest(rest, out var replacement);
            rest = rest[used..];
            if (!started)
            {
                if (_model.RemoveExtraWhitespace && replacement == " ")
                    continue;
                started = true;
                if (_model.AddDummyPrefix)
                    normalized.Append(space);
            }
            if (afterSpace)
                replacement = replacement.TrimStart(' ');
            if (replacement.Length == 0)
                continue;
            normalized.Append(replacement.Replace(' ', space));
            afterSpace = _model.RemoveExtraWhitespace && replacement[^1] == ' ';
        }
        var length = normalized.Length;
        while (_model.RemoveExtraWhitespace && length > 0 && normalized[length - 1] == space)
            length--;
        return normalized.ToString(0, length);
    }

    /// <summary>How many bytes the next unit takes, and what stands for it.</summary>
    private int Longest(ReadOnlySpan<byte> rest, out string replacement)
    {
        foreach (var kept in _keptWhole)
        {
            var bytes = Encoding.UTF8.GetBytes(kept);
            if (rest.StartsWith(bytes))
            {
                replacement = kept;
                return bytes.Length;
            }
        }
        var (length, offset) = Match(rest);
        if (length > 0)
        {
            var end = Array.IndexOf(_replacements, (byte)0, offset);
            replacement = Encoding.UTF8.GetString(_replacements, offset, (end < 0 ? _replacements.Length : end) - offset);
            return length;
        }
        var status = Rune.DecodeFromUtf8(rest, out var rune, out var used);
        replacement = rune.ToString();
        return status == OperationStatus.Done ? used : 1;
    }

    /// <summary>The longest key of the trie that the bytes begin with: its length and value.</summary>
    private (int Length, int Value) Match(ReadOnlySpan<byte> rest)
    {
        var best = (Length: 0, Value: 0);
        if (_trie.Length == 0)
            return best;
        var node = Offset(_trie[0]);
        for (var i = 0; i < rest.Length; i++)
        {
            node ^= rest[i];
            if (node >= _trie.Length)
                break;
            var unit = _trie[node];
            if ((unit & 0x8000_00FF) != rest[i])
                break;
            node ^= Offset(unit);
            if ((unit & 0x100) != 0 && node < _trie.Length)
                best = (i + 1, (int)(_trie[node] & 0x7FFF_FFFF));
        }
        return best;
    }

    private static uint Offset(uint unit) => (unit >> 10) << (int)((unit & 0x200) >> 6);
}
