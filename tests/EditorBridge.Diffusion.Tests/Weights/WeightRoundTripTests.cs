using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Safetensors;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Tests.Weights;

public sealed class WeightRoundTripTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("weights-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(ScalarType.Float32, 0)]
    [InlineData(ScalarType.BFloat16, 1 / 256.0)]
    [InlineData(ScalarType.Float16, 1 / 2048.0)]
    public void AModuleComesBack(ScalarType stored, double relative)
    {
        var path = Path.Combine(folder, "w.safetensors");
        using var from = nn.Linear(7, 5);
        WeightSaver.Save(from, path, stored, new Dictionary<string, string> { ["format"] = "pt" });
        using var to = nn.Linear(7, 5);
        using (NewDisposeScope())
            WeightLoader.Load(to, folder);
        using var deviation = (to.weight - from.weight).abs().max();
        Assert.True(deviation.item<float>() <= relative * from.weight.abs().max().item<float>());
        Assert.Equal(ScalarType.Float32, to.bias!.dtype);
        Assert.True(to.weight.requires_grad);
    }

    [Fact]
    public void ProblemsNameTheKeys()
    {
        var path = Path.Combine(folder, "w.safetensors");
        using var weight = ones(3, 2);
        WeightSaver.Save(new Dictionary<string, Tensor> { ["weight"] = weight, ["extra"] = weight }, path);
        using var module = nn.Linear(7, 5);
        var problem = Assert.Throws<InvalidDataException>(() => WeightLoader.Load(module, folder)).Message;
        Assert.Contains("'extra' is not part of the network", problem);
        Assert.Contains("'weight' is [3, 2], the network has [5, 7]", problem);
        Assert.Contains("'bias' is missing", problem);
    }

    [Fact]
    public void IntegersAreNotTakenForWeights()
    {
        var path = Path.Combine(folder, "w.safetensors");
        using var weight = ones(5, 7, dtype: int8);
        using var bias = ones(5);
        WeightSaver.Save(new Dictionary<string, Tensor> { ["weight"] = weight, ["bias"] = bias }, path);
        using var module = nn.Linear(7, 5);
        Assert.Contains("'weight' is stored as I8, a quantisation that is not known here", Assert.Throws<InvalidDataException>(() => WeightLoader.Load(module, folder)).Message);
    }

    [Fact]
    public void AMappedTensorOutlivesItsFile()
    {
        var path = Path.Combine(folder, "w.safetensors");
        using var numbers = arange(1000, dtype: int64);
        WeightSaver.Save(new Dictionary<string, Tensor> { ["numbers"] = numbers, ["none"] = empty(0, 3) }, path);
        var file = SafetensorsFile.Open(path).OrThrow();
        using var view = MappedTensors.View(file.Tensors["numbers"]);
        using var none = MappedTensors.View(file.Tensors["none"]);
        var mapping = file.Tensors["numbers"].File.Mapping;
        file.Dispose();
        using (var last = view[999])
            Assert.Equal(999, last.item<long>());
        Assert.Equal([0, 3], none.shape);
        view.Dispose();
        Assert.True(mapping.IsClosed);
    }

    [Fact]
    public void UnalignedDataIsCopied()
    {
        var path = Path.Combine(folder, "odd.safetensors");
        var header = """{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"""u8;
        using (var stream = File.Create(path))
        {
            stream.Write(BitConverter.GetBytes((long)header.Length));
            stream.Write(header);
            stream.Write(BitConverter.GetBytes(1.5f));
            stream.Write(BitConverter.GetBytes(-2f));
        }
        Assert.NotEqual(0, header.Length % 4);
        using var file = SafetensorsFile.Open(path).OrThrow();
        using var x = MappedTensors.View(file.Tensors["x"]);
        Assert.Equal([1.5f, -2f], x.data<float>().ToArray());
    }

    [Fact]
    public void Fp8IsUnpackedWithItsScales()
    {
        SafetensorsSource Source(string name, TensorType type, long[] shape, params byte[] bytes) => new(name, type, shape, stream => stream.Write(bytes));
        byte[] codes = [0x38, 0xc0, 0x7e, 0x01]; // 1, -2, 448, 2^-9
        SafetensorsWriter.Write(Path.Combine(folder, "fp8.safetensors"),
        [
            Source("plain.weight", TensorType.F8E4M3, [2, 2], codes), Source("scaled.weight", TensorType.F8E4M3, [2, 2], codes),
            Source("scaled.scale_weight", TensorType.F32, [], BitConverter.GetBytes(0.5f)), Source("scaled_fp8", TensorType.F8E4M3, [0]),
        ]);
        using var module = nn.Sequential(("plain", nn.Linear(2, 2, hasBias: false)), ("scaled", nn.Linear(2, 2, hasBias: false)));
        WeightLoader.Load(module, folder);
        Assert.Equal([1f, -2f, 448f, 1 / 512f], module.get_parameter("plain.weight")!.data<float>().ToArray());
        Assert.Equal([0.5f, -1f, 224f, 1 / 1024f], module.get_parameter("scaled.weight")!.data<float>().ToArray());
    }

    [Theory]
    [InlineData(ScalarType.Float32, 1e-7)]
    [InlineData(ScalarType.BFloat16, 1 / 256.0)]
    public void BlocksAreUnpackedOverSeveralCores(ScalarType type, double relative)
    {
        const int Rows = 5000, Columns = 32; // more than one piece of work
        var path = Path.Combine(folder, "blocks.gguf");
        using (var stream = File.Create(path))
        {
            // Header, no metadata, one tensor of type 8 (Q8_0): its name, axes, sizes fastest first, type, offset; padded to 96 bytes.
            stream.Write([.. "GGUF"u8, .. BitConverter.GetBytes(3), .. BitConverter.GetBytes(1L), .. BitConverter.GetBytes(0L)]);
            stream.Write([.. BitConverter.GetBytes(1L), (byte)'x', .. BitConverter.GetBytes(2), .. BitConverter.GetBytes((long)Columns), .. BitConverter.GetBytes((long)Rows)]);
            stream.Write([.. BitConverter.GetBytes(8), .. BitConverter.GetBytes(0L)]);
            stream.Write(new byte[96 - stream.Position]);
            for (var row = 0; row < Rows; row++)
                stream.Write([.. BitConverter.GetBytes((Half)(1 + (row % 7))), .. Enumerable.Range(0, Columns).Select(i => (byte)(i - 16))]);
        }
        using var scope = NewDisposeScope();
        using var checkpoint = Checkpoint.Open(path).OrThrow();
        var expected = (arange(Rows, dtype: float32).remainder(7) + 1).unsqueeze(1) * (arange(Columns, dtype: float32) - 16);
        var unpacked = StoredWeights.Tensor(checkpoint.Tensors["x"], type);
        Assert.Equal(type, unpacked.dtype);
        Assert.Equal([Rows, Columns], unpacked.shape);
        Assert.True(((unpacked.to(float32) - expected).abs() <= expected.abs() * relative).all().item<bool>());
    }
}
