using System.Buffers.Binary;
using System.Text;

namespace EditorBridge.Models.Pickles;

/// <summary>
/// Reads the data of a pickle without running anything: a pickle is a program for a stack machine that can call any function of Python, and this
/// machine knows only dictionaries, lists, text, numbers and tensors over outside storages. Whatever else it meets, it names and refuses.
/// </summary>
internal sealed class PickleReader(ReadOnlyMemory<byte> bytes)
{
    private static readonly object Mark = new();
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly List<object?> stack = [];
    private readonly Dictionary<uint, object?> memo = [];

    /// <summary>Where the next pickle starts.</summary>
    public int Position { get; private set; }

    /// <summary>Reads one pickle.</summary>
    /// <returns>What it leaves: null, bool, long, double, string, array (tuple), list, or one of the types of this folder.</returns>
    /// <exception cref="PickleException">It is damaged, or more than data.</exception>
    public object? Read()
    {
        stack.Clear();
        memo.Clear();
        while (true)
        {
            var opcode = Take(1)[0];
            switch ((char)opcode)
            {
                case '.': // STOP
                    var value = Pop();
                    return stack.Count == 0 ? value : throw new PickleException("has a pickle that ends too early");
                case '\x80': // PROTO
                    if (Take(1)[0] is < 2 or > 5)
                        throw new PickleException("has a pickle of a protocol other than 2 to 5");
                    break;
                case '\x95': // FRAME: only tells readers of streams how much to read
                    Take(8);
                    break;
                case '(':
                    stack.Add(Mark);
                    break;
                case 'N':
                    stack.Add(null);
                    break;
                case '\x88' or '\x89': // NEWTRUE, NEWFALSE
                    stack.Add(opcode == 0x88);
                    break;
                case 'K':
                    stack.Add((long)Take(1)[0]);
                    break;
                case 'M':
                    stack.Add((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2)));
                    break;
                case 'J':
                    stack.Add((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4)));
                    break;
                case '\x8a':
                    stack.Add(Long(Take(Take(1)[0])));
                    break;
                case 'G':
                    stack.Add(BinaryPrimitives.ReadDoubleBigEndian(Take(8)));
                    break;
                case 'X':
                    stack.Add(Text(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))));
                    break;
                case '\x8c': // SHORT_BINUNICODE
                    stack.Add(Text(Take(1)[0]));
                    break;
                case '}':
                    stack.Add(new PickleDictionary());
                    break;
                case ']':
                    stack.Add(new List<object?>());
                    break;
                case ')':
                    stack.Add(Array.Empty<object?>());
                    break;
                case 't':
                    stack.Add(PopToMark());
                    break;
                case '\x85' or '\x86' or '\x87': // TUPLE1 to TUPLE3
                    stack.Add(PopMany(opcode - 0x84));
                    break;
                case 'q':
                    memo[Take(1)[0]] = Top();
                    break;
                case 'r':
                    memo[BinaryPrimitives.ReadUInt32LittleEndian(Take(4))] = Top();
                    break;
                case '\x94': // MEMOIZE
                    memo[(uint)memo.Count] = Top();
                    break;
                case 'h':
                    stack.Add(Recall(Take(1)[0]));
                    break;
                case 'j':
                    stack.Add(Recall(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))));
                    break;
                case 's':
                    var pair = PopMany(2);
                    SetItems(pair);
                    break;
                case 'u':
                    SetItems(PopToMark());
                    break;
                case 'a':
                    Append(PopMany(1));
                    break;
                case 'e':
                    Append(PopToMark());
                    break;
                case 'c':
                    stack.Add(Global(Line(), Line()));
                    break;
                case '\x93': // STACK_GLOBAL
                    var names = PopMany(2);
                    stack.Add(names is [string module, string name] ? Global(module, name) : throw Malformed());
                    break;
                case 'R':
                    var call = PopMany(2);
                    stack.Add(Call(call[0], call[1] as object?[] ?? throw Malformed()));
                    break;
                case 'b': // the attributes of a dictionary (version numbers of modules) are of no use here
                    if (Pop() is not PickleDictionary || Top() is not PickleDictionary)
                        throw new PickleException("holds the pickle instruction BUILD for something else than a dictionary");
                    break;
                case 'Q':
                    stack.Add(Storage(Pop()));
                    break;
                default:
                    throw new PickleException($"holds the pickle instruction {PickleOpcodes.Name(opcode)}, which tensor data does not need");
            }
        }
    }

    private static PickleException Malformed() => new("has a damaged pickle");

    private static PickleGlobal Global(string module, string name) => PickleGlobal.Find(module, name)
        ?? throw new PickleException($"holds a pickle that names '{Shown(module)}.{Shown(name)}', which is not tensor data");

    private static string Shown(string text) => new([.. text.Take(80).Select(c => char.IsControl(c) ? '?' : c)]);

    private static object? Call(object? callee, object?[] arguments) => (callee, arguments) switch
    {
        (PickleGlobal.OrderedDict, []) => new PickleDictionary(),
        (PickleGlobal.RebuildParameter, [PickleTensor tensor, ..]) => tensor,
        (PickleGlobal.RebuildTensor { TypeGiven: false }, [PickleStorage { Type: { } type } storage, long offset, object?[] shape, object?[] strides, ..])
            => new PickleTensor(storage, type, offset, Sizes(shape), Sizes(strides)),
        (PickleGlobal.RebuildTensor { TypeGiven: true }, [PickleStorage storage, long offset, object?[] shape, object?[] strides, _, _, PickleGlobal.Element element, ..])
            => new PickleTensor(storage, element.Type, offset, Sizes(shape), Sizes(strides)),
        _ => throw new PickleException($"holds the pickle instruction REDUCE for {callee?.GetType().Name ?? "nothing"} with arguments that do not make a tensor"),
    };

    private static long[] Sizes(object?[] values) => values.Length <= 16 && values.All(value => value is long and >= 0)
        ? [.. values.Select(value => (long)value!)]
        : throw new PickleException("has a tensor in its pickle whose sizes are not sizes");

    private static PickleStorage Storage(object? id) => id is object?[] and ["storage", PickleGlobal.StorageOf kind, string key, string, long and >= 0 and var elements, .. var view]
        && view is [] or [null]
        ? new(kind.Type, key, elements)
        : throw new PickleException("holds the pickle instruction BINPERSID for something else than a storage of a known type");

    private static long Long(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > 8)
            throw new PickleException("has a number of more than 64 bits in its pickle");
        long value = bytes.Length > 0 && bytes[^1] >= 128 ? -1 : 0;
        for (var i = bytes.Length - 1; i >= 0; i--)
            value = (value << 8) | bytes[i];
        return value;
    }

    private ReadOnlySpan<byte> Take(long count)
    {
        if (count > bytes.Length - Position)
            throw new PickleException("ends inside its pickle");
        var taken = bytes.Span.Slice(Position, (int)count);
        Position += (int)count;
        return taken;
    }

    private string Text(long length)
    {
        try
        {
            return Utf8.GetString(Take(length));
        }
        catch (DecoderFallbackException)
        {
            throw new PickleException("has text in its pickle that is not UTF-8");
        }
    }

    private string Line()
    {
        var end = bytes.Span[Position..].IndexOf((byte)'\n');
        if (end < 0)
            throw new PickleException("ends inside its pickle");
        var line = Text(end);
        Take(1);
        return line;
    }

    private object? Top() => stack.Count > 0 && stack[^1] != Mark ? stack[^1] : throw Malformed();

    private object? Pop()
    {
        var top = Top();
        stack.RemoveAt(stack.Count - 1);
        return top;
    }

    private object?[] PopMany(int count)
    {
        var values = new object?[count];
        for (var i = count - 1; i >= 0; i--)
            values[i] = Pop();
        return values;
    }

    private object?[] PopToMark()
    {
        var mark = stack.LastIndexOf(Mark);
        if (mark < 0)
            throw Malformed();
        var values = stack.GetRange(mark + 1, stack.Count - mark - 1).ToArray();
        stack.RemoveRange(mark, stack.Count - mark);
        return values;
    }

    private object? Recall(uint index) => memo.TryGetValue(index, out var value) ? value : throw Malformed();

    private void SetItems(object?[] values)
    {
        if (values.Length % 2 != 0 || Top() is not PickleDictionary dictionary)
            throw Malformed();
        for (var i = 0; i < values.Length; i += 2)
            dictionary.Items.Add((values[i], values[i + 1]));
    }

    private void Append(object?[] values)
    {
        if (Top() is not List<object?> list)
            throw Malformed();
        list.AddRange(values);
    }
}
