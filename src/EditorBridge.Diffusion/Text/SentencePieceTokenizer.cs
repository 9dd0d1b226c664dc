using System.Globalization;
using System.Text;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Gguf;

namespace EditorBridge.Diffusion.Text;

/// <summary>
/// A SentencePiece unigram tokenizer with the rules that T5 adds: the most probable segmentation (Viterbi, Kudo 2018), unknown
/// characters spelled as bytes where the vocabulary has them, an end piece, truncation.
/// </summary>
/// <remarks>
/// Written for this project because Microsoft.ML.Tokenizers 2.0.1 gives byte pieces ids counted from a fixed place instead of the
/// vocabulary's and fails on models without them.
/// </remarks>
public sealed class SentencePieceTokenizer
{
    private const float UnknownPenalty = 10;

    private readonly SentencePieceModel _model;
    private readonly SentencePieceNormalizer _normalizer;
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _idsOfSpans;
    private readonly int[] _byteIds = new int[256];
    private readonly int _longestPiece;
    private readonly float _unknownScore;
    private readonly float _highestScore;

    private SentencePieceTokenizer(SentencePieceModel model)
    {
        _model = model;
        _normalizer = new SentencePieceNormalizer(model);
        _idsOfSpans = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
        Array.Fill(_byteIds, -1);
        var lowest = float.MaxValue;
        var highest = float.MinValue;
        for (var id = 0; id < model.Pieces.Count; id++)
        {
            var piece = model.Pieces[id];
            switch (piece.Kind)
            {
                case PieceKind.Normal or PieceKind.UserDefined when piece.Text.Length > 0:
                    _ids[piece.Text] = id;
                    _longestPiece = Math.Max(_longestPiece, piece.Text.Length);
                    break;
                case PieceKind.Byte when piece.Text.Length == 6:
                    _byteIds[int.Parse(piece.Text.AsSpan(3, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)] = id;
                    break;
            }
            if (piece.Kind == PieceKind.Normal)
            {
                lowest = Math.Min(lowest, piece.Score);
                highest = Math.Max(highest, piece.Score);
            }
        }
        if (model.ByteFallback && Array.IndexOf(_byteIds, -1) >= 0)
            throw new InvalidDataException("The SentencePiece model is damaged: it spells unknown characters as bytes but lacks some byte pieces.");
        _unknownScore = lowest - UnknownPenalty;
        _highestScore = highest;
    }

    /// <summary>How many pieces the vocabulary has.</summary>
    public int VocabularySize => _model.Pieces.Count;

    /// <summary>The id that ends a prompt.</summary>
    public int EndId => _model.EndId;

    /// <summary>The id that fills a batch's shorter rows; 0 where the model names none, as T5 has it.</summary>
    public int PadId => Math.Max(0, _model.PadId);

    /// <summary>The id of characters that the vocabulary cannot spell.</summary>
    public int UnknownId => _model.UnknownId;

    /// <summary>Reads a <c>.model</c> file (in Diffusers folders <c>tokenizer/spiece.model</c>).</summary>
    /// <exception cref="InvalidDataException">The file is no SentencePiece unigram model.</exception>
    public static SentencePieceTokenizer Load(string path)
    {
        try
        {
            return Read(File.ReadAllBytes(path));
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: {e.Message} Install the model again.", e);
        }
    }

    /// <summary>
    /// Takes the tokenizer out of a text encoder's file: ComfyUI packs the <c>.model</c> file in as tensor <c>spiece_model</c>, GGUF its parts as metadata.
    /// </summary>
    /// <param name="path">The text encoder's weights.</param>
    /// <exception cref="InvalidDataException">There is none in it, or the file is damaged.</exception>
    public static SentencePieceTokenizer LoadPacked(string path)
    {
        try
        {
            if (Path.GetExtension(path).Equals(".gguf", StringComparison.OrdinalIgnoreCase))
            {
                using var file = GgufFile.Open(path).OrThrow();
                return new(GgufTokenizer.Read(file));
            }
            using var weights = Checkpoint.Open(path).OrThrow();
            return weights.Tensors.TryGetValue("spiece_model", out var packed)
                ? Read(packed.Bytes)
                : throw new InvalidDataException("It carries no tokenizer.");
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"No tokenizer can be taken out of '{path}': {e.Message} Put the model's 'spiece.model' beside it.", e);
        }
    }

    /// <summary>Reads the bytes of a <c>.model</c> file.</summary>
    /// <exception cref="InvalidDataException">They are no SentencePiece unigram model.</exception>
    public static SentencePieceTokenizer Read(ReadOnlySpan<byte> file) => new(SentencePieceModel.Read(file));

    /// <summary>
    /// The ids of a prompt as the text encoder takes them: cleaned (<see cref="PromptCleaning.Clean"/>), segmented, cut to
    /// <paramref name="maximumLength"/> - 1 and ended by <see cref="EndId"/>. Not padded; an empty prompt is the end piece alone.
    /// </summary>
    public IReadOnlyList<int> EncodePrompt(string prompt, int maximumLength)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maximumLength, 1);
        var ids = Encode(PromptCleaning.Clean(prompt));
        if (ids.Count > maximumLength - 1)
            ids.RemoveRange(maximumLength - 1, ids.Count - maximumLength + 1);
        ids.Add(EndId);
        return ids;
    }

    /// <summary>The ids of a text as it stands, without an end piece: what SentencePiece itself returns.</summary>
    public List<int> Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var normalized = _normalizer.Normalize(text);
        var ids = new List<int>(normalized.Length);
        var previousUnknown = false;
        foreach (var (start, length, id) in Segment(normalized))
        {
            var unknown = id == UnknownId;
            if (unknown && _model.ByteFallback)
            {
                foreach (var code in Encoding.UTF8.GetBytes(normalized, start, length))
                    ids.Add(_byteIds[code]);
            }
            else if (!unknown || !previousUnknown)
            {
                ids.Add(id); // a run of unknown characters counts as one
            }
            previousUnknown = unknown;
        }
        return ids;
    }

    /// <summary>The piece of an id as the vocabulary writes it (a space is U+2581).</summary>
    public string PieceOf(int id) => _model.Pieces[id].Text;

    /// <summary>The most probable segmentation, left to right.</summary>
    private Stack<(int Start, int Length, int Id)> Segment(string text)
    {
        var best = new (float Score, int Start, int Id)[text.Length + 1];
        Array.Fill(best, (0, -1, -1));
        for (var start = 0; start < text.Length;)
        {
            var character = char.IsSurrogatePair(text, start) ? 2 : 1;
            var single = false;
            for (var length = 1; length <= _longestPiece && start + length <= text.Length; length++)
            {
                if (!_idsOfSpans.TryGetValue(text.AsSpan(start, length), out var id))
                    continue;
                // A symbol that the user defined always wins against pieces that spell it.
                var score = _model.Pieces[id].Kind == PieceKind.UserDefined ? (length * _highestScore) - 0.1 : _model.Pieces[id].Score;
                Offer(start + length, best[start].Score + score, id);
                single |= length == character;
            }
            if (!single)
                Offer(start + character, best[start].Score + _unknownScore, UnknownId);
            start += character;

            // Compared in double and kept in single precision, as SentencePiece does: it decides between equal ways to cut "fff".
            void Offer(int end, double score, int id)
            {
                if (best[end].Start < 0 || score > best[end].Score)
                    best[end] = ((float)score, start, id);
            }
        }
        var path = new Stack<(int, int, int)>();
        for (var end = text.Length; end > 0; end = best[end].Start)
            path.Push((best[end].Start, end - best[end].Start, best[end].Id));
        return path;
    }
}
