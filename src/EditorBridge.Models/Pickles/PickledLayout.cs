using System.Buffers.Binary;
using EditorBridge.Models.Checkpoints;

namespace EditorBridge.Models.Pickles;

/// <summary>
/// Where the tensors of a file of <c>torch.save</c> lie: an archive with a pickle and a member a storage, or, before PyTorch 1.6, pickles followed by
/// the storages.
/// </summary>
internal static class PickledLayout
{
    private const int MaximumPickle = 64 << 20;

    // The first pickle of the older form: the number 0x1950a86a20f9469cfc6c.
    private static readonly byte[] OldStart = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, (byte)'.'];
    private static readonly string[] Wrappers = ["state_dict", "model_state_dict", "model", "module"];

    /// <summary>The tensors of a file.</summary>
    /// <exception cref="PickleException">The file is damaged, of another kind, or more than data.</exception>
    public static IReadOnlyList<TensorEntry> Read(Stream stream)
    {
        var start = new byte[(int)Math.Min(stream.Length, OldStart.Length)];
        stream.Position = 0;
        stream.ReadExactly(start);
        if (start.AsSpan().StartsWith("PK\x3\x4"u8))
            return FromArchive(stream);
        if (start.AsSpan().SequenceEqual(OldStart))
            return FromPickles(stream);
        throw new PickleException("is no file of torch.save: it starts neither as an archive nor as its older form");
    }

    private static List<TensorEntry> FromArchive(Stream stream)
    {
        var members = ZipDirectory.Read(stream);
        var pickles = members.Values.Where(member => member.Name == "data.pkl" || member.Name.EndsWith("/data.pkl", StringComparison.Ordinal)).ToList();
        if (pickles.Count != 1)
            throw new PickleException("is an archive without the one 'data.pkl' that torch.save writes");
        var folder = pickles[0].Name[..^"data.pkl".Length];
        if (members.TryGetValue(folder + "byteorder", out var order) && !Bytes(stream, order).AsSpan().SequenceEqual("little"u8))
            throw new PickleException("was saved on a machine with another byte order; save it again on this kind");
        var root = new PickleReader(Bytes(stream, pickles[0])).Read();
        return Tensors(root, storage => members.TryGetValue($"{folder}data/{storage.Key}", out var member)
            ? (member.Offset, member.Length)
            : throw new PickleException($"lacks the member 'data/{storage.Key}' that its pickle names; download it again"));
    }

    private static List<TensorEntry> FromPickles(Stream stream)
    {
        var bytes = Bytes(stream, new ZipMember("", OldStart.Length, Math.Min(stream.Length - OldStart.Length, MaximumPickle)));
        var reader = new PickleReader(bytes);
        if (reader.Read() is not 1001L)
            throw new PickleException("is of a version of torch.save that is not known here");
        if (reader.Read() is not PickleDictionary system || system.Items.Any(item => item is ("little_endian", false)))
            throw new PickleException("was saved on a machine with another byte order; save it again on this kind");
        var root = reader.Read();
        if (reader.Read() is not List<object?> keys)
            throw new PickleException("has a damaged pickle");

        var sizes = new Dictionary<string, PickleStorage>(StringComparer.Ordinal);
        foreach (var tensor in Named(root))
            sizes[tensor.Tensor.Storage.Key] = tensor.Tensor.Storage;
        var places = new Dictionary<string, (long Offset, long Length)>(StringComparer.Ordinal);
        var at = OldStart.Length + (long)reader.Position;
        var count = new byte[8];
        foreach (var item in keys)
        {
            // The storages follow each other, each after the number of its elements; one that no tensor uses cannot be stepped over.
            if (item is not string key || !sizes.TryGetValue(key, out var storage))
                throw new PickleException("has a storage that belongs to none of its tensors; save it again with a current PyTorch");
            if (at > stream.Length - 8)
                throw new PickleException($"ends before storage '{key}'; download it again");
            stream.Position = at;
            stream.ReadExactly(count);
            if (BinaryPrimitives.ReadInt64LittleEndian(count) != storage.Elements)
                throw new PickleException($"has another size for storage '{key}' than its pickle says");
            if (storage.Elements > (stream.Length - at - 8) / (storage.Type?.Size() ?? 1))
                throw new PickleException($"ends inside storage '{key}'; download it again");
            var length = storage.Elements * (storage.Type?.Size() ?? 1);
            places[key] = (at + 8, length);
            at += 8 + length;
        }

        return Tensors(root, storage => places.TryGetValue(storage.Key, out var place)
            ? place
            : throw new PickleException($"lacks the storage '{storage.Key}' that its pickle names; download it again"));
    }

    private static List<TensorEntry> Tensors(object? root, Func<PickleStorage, (long Offset, long Length)> find)
    {
        var entries = new List<TensorEntry>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, tensor) in Named(root))
        {
            if (!names.Add(name))
                throw new PickleException($"names tensor '{name}' twice");
            entries.Add(Entry(name, tensor, find(tensor.Storage)));
        }
        return entries;
    }

    private static TensorEntry Entry(string name, PickleTensor tensor, (long Offset, long Length) place)
    {
        var size = tensor.Type.Size();
        if (tensor.Storage.Elements > place.Length / (tensor.Storage.Type?.Size() ?? 1))
            throw new PickleException($"has {place.Length} bytes for the {tensor.Storage.Elements} elements that tensor '{name}' is part of; download it again");
        if (tensor.Type.Bytes(tensor.Shape) is not { } bytes || tensor.Offset < 0 || tensor.Offset > place.Length / size || bytes > place.Length - tensor.Offset * size)
            throw new PickleException($"has tensor '{name}' reach beyond its data; download it again");
        if (tensor.Strides.Count != tensor.Shape.Count)
            throw new PickleException($"has tensor '{name}' with {tensor.Shape.Count} sizes and {tensor.Strides.Count} strides");
        long expected = 1;
        for (var axis = tensor.Shape.Count - 1; axis >= 0 && bytes > 0; axis--)
        {
            if (tensor.Shape[axis] != 1 && tensor.Strides[axis] != expected)
                throw new PickleException($"has tensor '{name}' not stored row by row; save it again as .contiguous()");
            expected *= tensor.Shape[axis];
        }
        return new TensorEntry(name, tensor.Type, tensor.Shape, place.Offset + tensor.Offset * size, bytes);
    }

    /// <summary>The tensors of the dictionary that was saved, or of the one in it that holds the weights.</summary>
    private static IEnumerable<(string Name, PickleTensor Tensor)> Named(object? root)
    {
        if (root is not PickleDictionary dictionary)
            throw new PickleException("holds something else than a dictionary of tensors");
        if (!dictionary.Items.Any(item => item.Value is PickleTensor))
            dictionary = dictionary.Items.Where(item => item.Key is string key && Wrappers.Contains(key)).Select(item => item.Value)
                .OfType<PickleDictionary>().FirstOrDefault() ?? dictionary;
        foreach (var (key, value) in dictionary.Items)
            if (key is string name && value is PickleTensor tensor)
                yield return (name, tensor);
    }

    private static byte[] Bytes(Stream stream, ZipMember member)
    {
        if (member.Length > MaximumPickle)
            throw new PickleException($"has a pickle of {member.Length} bytes, more than the {MaximumPickle} allowed");
        var bytes = new byte[(int)member.Length];
        stream.Position = member.Offset;
        stream.ReadExactly(bytes);
        return bytes;
    }
}
