using System.Runtime.InteropServices;
using EditorBridge.Diffusion.Conditioning;
using EditorBridge.Diffusion.Native;
using EditorBridge.Diffusion.Samplers;
using EditorBridge.Diffusion.Text;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Models.Configs;
using TorchSharp;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Tests.Native;

/// <summary>
/// Parts of the pipeline on a device that is not the CPU and has real numbers: torch's lazy one, which every libtorch brings along. It refuses operations on tensors
/// of two devices, as a GPU does. Whole networks it cannot run (views beside the operations it knows end in errors of its own).
/// </summary>
public sealed class OtherDeviceTests : IDisposable
{
    private static readonly Device? Lazy = Start();
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly IDisposable noGrad = no_grad();

    public void Dispose()
    {
        noGrad.Dispose();
        scope.Dispose();
    }

    [Fact]
    public void Tensors_of_two_devices_are_refused()
    {
        if (Lazy is null) return;
        Assert.Throws<ExternalException>(() => ones(3).to(Lazy) + ones(3));
        Assert.Throws<ExternalException>(() => nn.functional.linear(ones(2, 3), ones(4, 3).to(Lazy)));
        Assert.Equal(6, ComputeDevice.ToCpu(ones(3).to(Lazy) + ones(3).to(Lazy)).sum().item<float>());
    }

    [Fact]
    public void The_text_encoder_gives_the_same_there()
    {
        if (Lazy is null) return;
        using var encoder = new UMT5Encoder(new UMT5Config { VocabSize = 64, DModel = 16, DKv = 8, DFf = 32, NumHeads = 2, NumLayers = 2 });
        using var generator = new Generator(3);
        encoder.Initialize(generator);
        var expected = encoder.EncodeContext([[5, 6, 7, 1], [8, 1]], 12);
        encoder.to(Lazy);
        Same(expected, encoder.EncodeContext([[5, 6, 7, 1], [8, 1]], 12));
    }

    [Fact]
    public void Rotations_are_made_there()
    {
        if (Lazy is null) return;
        var x = randn([2, 12, 32]);
        Tensor Rotated(Device device) => RotaryPositions.Rotate(x.to(device), RotaryPositions.Table([([0.0, 1.25, 3], 2, 2)], 16, device), 2);
        Same(Rotated(CPU), Rotated(Lazy));
    }

    [Theory]
    [InlineData(SamplerKind.UniPC)]
    [InlineData(SamplerKind.DpmSolver)]
    [InlineData(SamplerKind.Euler)]
    public void Solvers_step_there_save_on_the_cpu_and_go_on_there(SamplerKind kind)
    {
        if (Lazy is null) return;
        var velocities = Enumerable.Range(0, 6).Select(_ => randn([1, 6, 5, 4, 4])).ToArray();
        var noise = FlowSampling.Noise([1, 6, 5, 4, 4], 3);
        Tensor Run(Device device)
        {
            var x = noise.to(device);
            var sampler = Sampler.Create(kind, 6, 5);
            for (var i = 0; i < 6; i++)
            {
                if (i == 3)
                {
                    using var saved = sampler.Save();
                    Assert.All(saved.Tensors.Values, tensor => Assert.Equal(DeviceType.CPU, tensor.device_type));
                    sampler.Dispose();
                    sampler = Sampler.Create(kind, 6, 5);
                    using var moved = saved.To(device);
                    sampler.Restore(moved);
                }

                x = sampler.Step(velocities[i].to(device), x);
            }

            sampler.Dispose();
            return x;
        }

        Same(Run(CPU), Run(Lazy));
    }

    [Fact]
    public void Given_latents_come_from_anywhere()
    {
        if (Lazy is null) return;
        var given = new ConditionedLatents(ConditioningLayout.Forward(wanted: 9, before: 5, after: 1), head: randn([1, 6, 2, 4, 4]), after: randn([1, 6, 1, 4, 4]));
        var main = randn([1, 6, 5, 4, 4]);
        Same(given.Impose(main), given.Impose(main.to(Lazy)));
        var segments = given.Segments(main.to(Lazy), 500);
        Assert.All(segments, segment => Assert.Equal(Lazy.type, segment.Latent.device_type));
    }

    [Fact]
    public void A_transformer_is_loaded_there_and_its_run_saved_from_there()
    {
        if (Lazy is null) return;
        using var here = Transformer();
        var folder = Directory.CreateTempSubdirectory("device-").FullName;
        try
        {
            here.Save(folder);
            using var there = WanTransformer.Load(folder, Lazy);
            Assert.Equal(Lazy.type, there.Device.type);
            foreach (var (name, parameter) in there.named_parameters()) Same(here.state_dict()[name], parameter);

            var given = new ConditionedLatents(ConditioningLayout.Forward(wanted: 9, before: 5, after: 1), head: randn([1, 6, 2, 4, 4]), after: randn([1, 6, 1, 4, 4]));
            var context = randn([1, 4, 8]).to(Lazy);
            FlowSampling Begun(long seed) =>
                new(there, Sampler.Create(SamplerKind.UniPC, 5, 5), given, FlowSampling.Noise([1, 6, 5, 4, 4], seed), context, context, 4);
            using var run = Begun(3);
            Assert.Equal(Lazy.type, run.Latents.device_type);
            var path = Path.Combine(folder, "state.safetensors");
            using (var saved = run.Save())
            {
                Assert.Equal(DeviceType.CPU, saved.Latents.device_type);
                saved.Write(path);
            }

            using var other = Begun(4);
            using (var state = SamplingState.Read(path)) other.Restore(state);
            Same(ComputeDevice.ToCpu(run.Latents), other.Latents);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_vae_scales_its_latents_there()
    {
        if (Lazy is null) return;
        using var vae = new WanVideoVae(WanVaeConfig.Wan22 with
        {
            BaseDim = 8, DecoderBaseDim = 8, ZDim = 48, LatentsMean = Enumerable.Repeat(0.1, 48).ToArray(), LatentsStd = Enumerable.Repeat(1.5, 48).ToArray(),
        });
        var latent = randn([1, 48, 2, 3, 3]);
        Same(vae.Normalise(latent), vae.Normalise(latent.to(Lazy)));
        Same(vae.Denormalise(latent), vae.Denormalise(latent.to(Lazy)));
    }

    private static WanTransformer Transformer()
    {
        var network = new WanTransformer(new WanTransformerConfig
        {
            NumAttentionHeads = 2, AttentionHeadDim = 16, InChannels = 6, OutChannels = 6, TextDim = 8, TextLen = 4, FfnDim = 48, NumLayers = 2,
        });
        using var generator = new Generator(5);
        network.Initialize(generator);
        return network;
    }

    private static void Same(Tensor expected, Tensor there)
    {
        Assert.Equal(Lazy!.type, there.device_type);
        Assert.Equal(expected.shape, there.shape);
        Assert.InRange((ComputeDevice.ToCpu(there) - expected).abs().max().item<float>(), 0, 1e-5);
    }

    // libtorch registers the device when asked to by this function of C++, so it is there where names are mangled this way.
    private static unsafe Device? Start()
    {
        if (!OperatingSystem.IsLinux()) return null;
        NativeTorch.Load();
        var torch = NativeLibrary.Load(Path.Combine(NativeTorch.Folder, "libtorch_cpu.so"));
        ((delegate* unmanaged<void>)NativeLibrary.GetExport(torch, "_ZN5torch4lazy22InitTorchScriptBackendEv"))();
        const int lazy = 17; // c10::DeviceType::Lazy, which the binding's list leaves out
        return new Device((DeviceType)lazy, 0);
    }
}
