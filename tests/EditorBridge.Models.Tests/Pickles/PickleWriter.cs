using System.IO.Compression;
using System.Text;

namespace EditorBridge.Models.Tests.Pickles;

/// <summary>Writes pickles instruction by instruction, and archives around them as torch.save lays them out.</summary>
internal sealed class PickleWriter
{
    private readonly MemoryStream bytes = new();

    public PickleWriter() => Op(0x80, 2);

    public PickleWriter Op(params byte[] raw)
    {
        bytes.Write(raw);
        return this;
    }

    public PickleWriter Op(char opcode, string text = "") => Op([(byte)opcode, .. Encoding.UTF8.GetBytes(text)]);

    public PickleWriter Global(string module, string name) => Op('c', $"{module}\n{name}\n");

    public PickleWriter Text(string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        return Op([(byte)'X', .. BitConverter.GetBytes(utf8.Length), .. utf8]);
    }

    public PickleWriter Number(long number) => Op([0x8a, 8, .. BitConverter.GetBytes(number)]);

    public PickleWriter Sizes(params long[] sizes)
    {
        Op('(');
        foreach (var size in sizes)
            Number(size);
        return Op('t');
    }

    /// <summary>key: tensor, to stand between MARK and SETITEMS.</summary>
    public PickleWriter Tensor(string key, string storageType, string storage, long elements, long offset, long[] shape, long[] strides) => Text(key)
        .Global("torch._utils", "_rebuild_tensor_v2").Op('(')
        .Op('(').Text("storage").Global("torch", storageType).Text(storage).Text("cpu").Number(elements).Op('t').Op('Q')
        .Number(offset).Sizes(shape).Sizes(strides).Op(0x89).Global("collections", "OrderedDict").Op(')').Op('R')
        .Op('t').Op('R');

    public byte[] Stop()
    {
        Op('.');
        return bytes.ToArray();
    }

    public static byte[] Archive(byte[] pickle, params (string Name, byte[] Bytes)[] members)
    {
        var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
            foreach (var (name, content) in members.Prepend(("data.pkl", pickle)))
                using (var entry = zip.CreateEntry("archive/" + name, CompressionLevel.NoCompression).Open())
                    entry.Write(content);
        return stream.ToArray();
    }
}
