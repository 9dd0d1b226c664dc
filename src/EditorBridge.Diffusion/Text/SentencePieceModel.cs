using System.Buffers.Binary;
using System.Text;

namespace EditorBridge.Diffusion.Text;

/// <summary>What a piece of a SentencePiece vocabulary stands for (the numbers are those of the file).</summary>
internal enum PieceKind
{
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}

/// <summary>One entry of a SentencePiece vocabulary; its id is its place.</summary>
internal readonly record struct Piece(string Text, float Score, PieceKind Kind);

/// <summary>
/// The contents of a SentencePiece <c>.model</c> file that tokenising needs. The file is a protobuf message
/// (<c>sentencepiece_model.proto</c>); its wire format is read here directly.
/// </summary>
internal sealed record SentencePieceModel
{
    private const int Unigram = 1;

    public required IReadOnlyList<Piece> Pieces { get; init; }

    public required byte[] CharacterMap { get; init; }

    public bool ByteFallback { get; init; }

    public bool AddDummyPrefix { get; init; } = true;

    public bool RemoveExtraWhitespace { get; init; } = true;

    public bool EscapeWhitespace { get; init; } = true;

    public int UnknownId { get; init; }

    public int EndId { get; init; } = 2;

    public int PadId { get; init; } = -1;

    /// <summary>Reads a model.</summary>
    /// <exception cref="InvalidDataException">The bytes are no SentencePiece unigram model.</exception>
    public static SentencePieceModel Read(ReadOnlySpan<byte> file)
    {
        try
        {
            return ReadModel(file);
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or IndexOutOfRangeException or OverflowException or DecoderFallbackException)
        {
            throw new InvalidDataException("The file is not a SentencePiece model, or it is damaged.", e);
        }
    }

    private static SentencePieceModel ReadModel(ReadOnlySpan<byte> file)
    {
        var pieces = new List<Piece>();
        var model = new SentencePieceModel { Pieces = pieces, CharacterMap = [] };
        var reader = new WireReader(file);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    pieces.Add(ReadPiece(reader.Bytes));
                    break;
                case 2:
                    model = ReadTrainerSpec(reader.Bytes, model);
                    break;
                case 3:
                    model = ReadNormalizerSpec(reader.Bytes, model);
                    break;
            }
        }
        if (pieces.Count == 0 || model.UnknownId < 0 || model.UnknownId >= pieces.Count)
            throw new InvalidDataException("The file is not a SentencePiece model, or it is damaged: it has no pieces.");
        return model;
    }

    private static Piece ReadPiece(ReadOnlySpan<byte> message)
    {
        var piece = new Piece("", 0, PieceKind.Normal);
        var reader = new WireReader(message);
        while (reader.Next())
        {
            piece = reader.Field switch
            {
                1 => piece with { Text = Encoding.UTF8.GetString(reader.Bytes) },
                2 => piece with { Score = BitConverter.Int32BitsToSingle((int)reader.Number) },
                3 => piece with { Kind = (PieceKind)reader.Number },
                _ => piece,
            };
        }
        return piece;
    }

    private static SentencePieceModel ReadTrainerSpec(ReadOnlySpan<byte> message, SentencePieceModel model)
    {
        var kind = Unigram;
        var reader = new WireReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 3:
                    kind = (int)reader.Number;
                    break;
                case 35:
                    model = model with { ByteFallback = reader.Number != 0 };
                    break;
                case 40:
                    model = model with { UnknownId = (int)reader.Number };
                    break;
                case 42:
                    model = model with { EndId = (int)reader.Number };
                    break;
                case 43:
                    model = model with { PadId = (int)reader.Number };
                    break;
            }
        }
        return kind == Unigram ? model : throw new InvalidDataException(
            "The SentencePiece model is not a unigram model; UMT5 tokenizers are.");
    }

    private static SentencePieceModel ReadNormalizerSpec(ReadOnlySpan<byte> message, SentencePieceModel model)
    {
        var reader = new WireReader(message);
        while (reader.Next())
        {
            model = reader.Field switch
            {
                2 => model with { CharacterMap = reader.Bytes.ToArray() },
                3 => model with { AddDummyPrefix = reader.Number != 0 },
                4 => model with { RemoveExtraWhitespace = reader.Number != 0 },
                5 => model with { EscapeWhitespace = reader.Number != 0 },
                _ => model,
            };
        }
        return model;
    }

    /// <summary>Walks the fields of one protobuf message.</summary>
    private ref struct WireReader(ReadOnlySpan<byte> message)
    {
        private ReadOnlySpan<byte> _rest = message;

        public int Field { get; private set; }

        public ulong Number { get; private set; }

        public ReadOnlySpan<byte> Bytes { get; private set; }

        public bool Next()
        {
            if (_rest.IsEmpty)
                return false;
            var key = ReadVarint();
            Field = checked((int)(key >> 3));
            switch (key & 7)
            {
                case 0:
                    Number = ReadVarint();
                    break;
                case 1:
                    Number = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
                    break;
                case 2:
                    Bytes = Take(checked((int)ReadVarint()));
                    break;
                case 5:
                    Number = BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
                    break;
                default:
                    throw new InvalidDataException("The file is not a SentencePiece model, or it is damaged.");
            }
            return true;
        }

        private ReadOnlySpan<byte> Take(int count)
        {
            var taken = _rest[..count];
            _rest = _rest[count..];
            return taken;
        }

        private ulong ReadVarint()
        {
            ulong value = 0;
            for (var shift = 0; shift < 64; shift += 7)
            {
                var next = Take(1)[0];
                value |= (ulong)(next & 0x7F) << shift;
                if (next < 0x80)
                    return value;
            }
            throw new InvalidDataException("The file is not a SentencePiece model, or it is damaged.");
        }
    }
}
