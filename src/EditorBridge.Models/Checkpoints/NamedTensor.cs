using System.Runtime.InteropServices;

namespace EditorBridge.Models.Checkpoints;

/// <summary>A tensor in a mapped file.</summary>
public sealed record NamedTensor : TensorEntry
{
    /// <summary>
    /// A network with fewer values is unpacked into memory when it is loaded; the large weights of others stay as they are stored. Upcasting small ones in every pass would
    /// take a noticeable part of it.
    /// </summary>
    public const long FewValues = 100_000_000;

    /// <summary>A tensor whose place in the file has been checked.</summary>
    /// <param name="entry">What the header says of it.</param>
    /// <param name="file">Where it lies.</param>
    public NamedTensor(TensorEntry entry, MappedFile file)
        : base(entry)
    {
        ArgumentNullException.ThrowIfNull(file);
        File = file;
    }

    /// <summary>Where it lies.</summary>
    public MappedFile File { get; }

    /// <summary>What every stored value is to be multiplied by: scaled fp8 keeps one such number a layer. 1 elsewhere.</summary>
    public float Scale { get; init; } = 1;

    /// <summary>Whether the stored bytes are the values: neither in blocks nor scaled.</summary>
    public bool IsPlain => !Type.IsBlocked() && Scale == 1;

    /// <summary>Address of its first byte; valid while the file is open or a reference on its mapping is held.</summary>
    public nint Address => File.Address(Offset);

    /// <summary>Its stored bytes, below 2 GiB; valid while the file is open.</summary>
    public ReadOnlySpan<byte> Bytes => File.Bytes(Offset, checked((int)Length));

    /// <summary>Values as single floats, unpacked and scaled.</summary>
    /// <param name="first">First value, counted row by row; a multiple of the type's block.</param>
    /// <param name="values">Filled; as long as whole blocks.</param>
    /// <exception cref="NotSupportedException">The type holds no real numbers that a float can show.</exception>
    public void Read(long first, Span<float> values)
    {
        var block = Type.BlockElements();
        if (first < 0 || first % block != 0 || values.Length % block != 0 || values.Length > Elements - first)
            throw new ArgumentOutOfRangeException(nameof(first), $"Values {first} to {first + values.Length} of tensor '{Name}' cannot be read alone.");
        var size = Type.Size();
        // Bytes are addressed by int, and a block of floats may need more bytes than that counts.
        var piece = int.MaxValue / size / block * block;
        for (var at = 0; at < values.Length; at += piece)
        {
            var part = values.Slice(at, Math.Min(piece, values.Length - at));
            var bytes = File.Bytes(Offset + (first + at) / block * size, part.Length / block * size);
            TensorDecoding.Decode(Type, bytes, part);
            if (Scale != 1)
                foreach (ref var value in part)
                    value *= Scale;
        }
    }

    /// <summary>Values as bfloat16 (the upper half of a single, rounded to even), unpacked and scaled.</summary>
    /// <param name="first">First value, counted row by row; a multiple of the type's block.</param>
    /// <param name="values">Filled; as long as whole blocks.</param>
    /// <exception cref="NotSupportedException">The type holds no real numbers that a float can show.</exception>
    public void ReadBFloat16(long first, Span<ushort> values)
    {
        Span<float> floats = stackalloc float[1024];
        for (var at = 0; at < values.Length; at += floats.Length)
        {
            var part = floats[..Math.Min(floats.Length, values.Length - at)];
            Read(first + at, part);
            var bits = MemoryMarshal.Cast<float, uint>(part);
            for (var i = 0; i < bits.Length; i++)
                values[at + i] = float.IsNaN(part[i]) ? (ushort)0x7fc0 : (ushort)((bits[i] + 0x7fff + ((bits[i] >> 16) & 1)) >> 16);
        }
    }
}
