using EditorBridge.Models.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Weights;

/// <summary>
/// A large weight as its file has it: plain values of any float type, scaled fp8, or blocks of GGUF. Values are made where a layer uses them, a
/// piece at a time, and let go at once.
/// </summary>
internal sealed class StoredWeight : IDisposable
{
    // 16 MB of float32: the allocator keeps such pieces instead of asking for new pages each time, and much of one is still in the cache when it is multiplied.
    private const long PieceValues = 1 << 22;

    private const long ManyRows = 256;

    private readonly TensorType? packed;
    private readonly float scale;
    private readonly List<Addition> additions = [];
    private readonly Tensor stored; // the values in their own type, [rows, …]; of packed ones the bytes

    private StoredWeight(Tensor stored, TensorType? packed, float scale, long[] shape)
        => (this.stored, this.packed, this.scale, Shape) = (stored.DetachFromDisposeScope(), packed, scale, shape);

    /// <summary>The sizes of the weight.</summary>
    public long[] Shape { get; }

    /// <summary>A copy of <see cref="Far"/> that is used in its place for now; not owned.</summary>
    public Tensor? Near { get; set; }

    /// <summary>Type of <see cref="Far"/>.</summary>
    public ScalarType FarType => packed is null ? stored.dtype : ScalarType.BFloat16;

    /// <summary>The weight in a mapped file, which stays mapped as long as this is not disposed.</summary>
    /// <param name="tensor">The tensor, or several weights joined along its first axis.</param>
    /// <param name="shape">The weight's sizes.</param>
    /// <param name="part">Which of the weights that are joined.</param>
    /// <param name="parts">How many are joined.</param>
    public static StoredWeight Of(NamedTensor tensor, long[] shape, int part = 0, int parts = 1)
    {
        using var scope = NewDisposeScope();
        if (!tensor.Type.IsBlocked() && tensor.Address % tensor.Type.Size() == 0)
            return new(Part(MappedTensors.View(tensor with { Scale = 1 })).view(shape), null, tensor.Scale, shape);
        var bytes = MappedTensors.View(tensor with { Type = TensorType.U8, Shape = [tensor.Length], Scale = 1 });
        return new(Part(bytes), tensor.Type, tensor.Scale, shape);

        Tensor Part(Tensor whole) => parts == 1 ? whole : whole.narrow(0, whole.shape[0] / parts * part, whole.shape[0] / parts);
    }

    /// <summary>The values of some rows (of the first axis).</summary>
    /// <param name="first">First row.</param>
    /// <param name="count">Rows.</param>
    /// <param name="type">Type wanted.</param>
    /// <param name="device">Where they are wanted.</param>
    /// <returns>[count, …]; shares the memory of the file where nothing had to be done. Not to be written to.</returns>
    public Tensor Rows(long first, long count, ScalarType type, Device device)
    {
        using var scope = NewDisposeScope();
        // They travel as they are stored, which is less than what they become.
        var values = Near is not null ? Near.narrow(0, first, count)
            : packed is { } blocks ? Unpacked(blocks, first, count) : stored.narrow(0, first, count);
        values = values.device_type == device.type && values.device_index == device.index ? values : values.to(device);
        if (scale != 1 && packed is null)
            values = values.to(float32).mul_(scale);
        if (additions.Count > 0)
        {
            values = values.to(float32, copy: true);
            foreach (var addition in additions)
                addition.AddTo(values, first, count);
        }
        return values.to(type).MoveToOuterDisposeScope();
    }

    /// <summary>What goes to another device in place of the values: as it is stored, without scale and additions; packed weights as bfloat16.</summary>
    public Tensor Far() => packed is { } blocks ? Unpacked(blocks, 0, Shape[0]).to(bfloat16) : stored.view(Shape);

    /// <summary>All values.</summary>
    /// <inheritdoc cref="Rows" path="/param"/>
    public Tensor Values(ScalarType type, Device device) => Rows(0, Shape[0], type, device);

    /// <summary><c>x·Wᵀ + b</c> with the weight as a matrix [outputs, inputs].</summary>
    /// <param name="x">[…, inputs], in the type to compute in.</param>
    /// <param name="bias">[outputs] of the same type, or null.</param>
    public Tensor Linear(Tensor x, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        var (outputs, inputs) = (Shape[0], Shape[1]);
        var step = PieceValues / inputs;
        var same = x.dtype == FarType && scale == 1 && additions.Count == 0 && packed is null;
        // Many rows want the product whole; few leave the values no time to pay for a way through main memory.
        if (x.device_type == DeviceType.CPU && x.dtype == ScalarType.Float32 && !same && x.numel() / inputs >= ManyRows && UpcastBuffer.Room(Shape) is { } room)
        {
            Fill(room);
            return nn.functional.linear(x, room, bias).MoveToOuterDisposeScope();
        }

        // A GPU is better off with one large product, and values that are there already are better not cut.
        if (x.device_type != DeviceType.CPU || step >= outputs || step == 0 || same)
            return nn.functional.linear(x, Values(x.dtype, x.device), bias).MoveToOuterDisposeScope();

        var rows = x.reshape(-1, inputs); // [n, inputs]
        var y = bias is null ? x.new_empty([rows.shape[0], outputs]) : bias.expand(rows.shape[0], outputs).contiguous();
        for (long first = 0; first < outputs; first += step)
        {
            using var piece = NewDisposeScope();
            var count = Math.Min(step, outputs - first);
            y.narrow(1, first, count).addmm_(rows, Rows(first, count, x.dtype, x.device).t(), bias is null ? 0 : 1, 1);
        }
        return y.view([.. x.shape[..^1], outputs]).MoveToOuterDisposeScope();
    }

    /// <summary>Single rows.</summary>
    /// <param name="indices">Their numbers, int64 [n].</param>
    /// <param name="type">Type wanted.</param>
    /// <returns>[n, …] on the device of the indices.</returns>
    public Tensor Select(Tensor indices, ScalarType type)
    {
        using var scope = NewDisposeScope();
        var rows = indices.to(CPU).data<long>().ToArray().Select(row => Rows(row, 1, type, indices.device)).ToArray();
        return cat(rows, 0).MoveToOuterDisposeScope();
    }

    /// <summary>Adds a product of two thin matrices to the values whenever they are used.</summary>
    /// <param name="left">float32 [rows, rank]; owned by this.</param>
    /// <param name="right">float32 [rank, columns], the columns of all other axes together; owned by this.</param>
    /// <param name="factor">Factor of the product.</param>
    public void Add(Tensor left, Tensor right, double factor) => additions.Add(new Product(left.DetachFromDisposeScope(), right.DetachFromDisposeScope(), (float)factor));

    /// <summary>Adds another weight of the same sizes to the values whenever they are used.</summary>
    /// <param name="difference">Owned by this.</param>
    /// <param name="factor">Its factor.</param>
    public void Add(StoredWeight difference, double factor) => additions.Add(new Whole(difference, factor));

    /// <summary>A copy on a device, as it is stored; packed weights, which only the CPU unpacks, become bfloat16.</summary>
    /// <param name="device">The device.</param>
    public StoredWeight CopyTo(Device device)
    {
        using var scope = NewDisposeScope();
        var copy = new StoredWeight(Far().to(device, copy: true), null, packed is null ? scale : 1, Shape);
        copy.additions.AddRange(additions);
        additions.Clear();
        return copy;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        stored.Dispose();
        foreach (var addition in additions)
            addition.Dispose();
        additions.Clear();
    }

    private void Fill(Tensor room)
    {
        if (Near is null && packed is { } blocks)
            Unpack(blocks, 0, room);
        else
            room.copy_(Near ?? stored);
        if (scale != 1 && packed is null)
            room.mul_(scale);
        foreach (var addition in additions)
            addition.AddTo(room, 0, Shape[0]);
    }

    private Tensor Unpacked(TensorType type, long first, long count)
    {
        var values = empty([count, .. Shape[1..]], dtype: float32);
        Unpack(type, first, values);
        return values;
    }

    private unsafe void Unpack(TensorType type, long first, Tensor values)
    {
        var count = values.shape[0];
        var (block, size) = (type.BlockElements(), type.Size());
        var row = Shape[1..].Aggregate(1L, (product, length) => product * length);
        var from = (byte*)MappedTensors.THSTensor_data(stored.Handle) + (first * row / block * size);
        var to = (float*)MappedTensors.THSTensor_data(values.Handle);
        const int Piece = 1 << 14; // a multiple of every block
        Parallel.For(0, ((count * row) + Piece - 1) / Piece, index =>
        {
            var at = index * Piece;
            var length = (int)Math.Min(Piece, (count * row) - at);
            var part = new Span<float>(to + at, length);
            TensorDecoding.Decode(type, new ReadOnlySpan<byte>(from + (at / block * size), length / block * size), part);
            if (scale == 1)
                return;
            foreach (ref var value in part)
                value *= scale;
        });
    }

    /// <summary>What is added to the stored values.</summary>
    private abstract class Addition : IDisposable
    {
        public abstract void AddTo(Tensor rows, long first, long count);

        public abstract void Dispose();
    }

    private sealed class Product(Tensor left, Tensor right, float factor) : Addition
    {
        public override void AddTo(Tensor rows, long first, long count)
            => rows.view(count, -1).addmm_(left.narrow(0, first, count).to(rows.device), right.to(rows.device), 1, factor);

        public override void Dispose()
        {
            left.Dispose();
            right.Dispose();
        }
    }

    private sealed class Whole(StoredWeight difference, double factor) : Addition
    {
        public override void AddTo(Tensor rows, long first, long count) => rows.add_(difference.Rows(first, count, float32, rows.device), alpha: factor);

        public override void Dispose() => difference.Dispose();
    }
}
