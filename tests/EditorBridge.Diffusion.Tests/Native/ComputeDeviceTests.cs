using EditorBridge.Diffusion.Native;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Tests.Native;

public class ComputeDeviceTests
{
    private static readonly DeviceFacts CpuBuild = new() { Folder = "/opt/torch/lib", Attempt = _ => null };
    private static readonly DeviceFacts TwoGpus = CpuBuild with { CudaBuild = true, CudaCount = 2 };

    [Theory]
    [InlineData("auto", "cuda:0")]
    [InlineData("cuda", "cuda:0")]
    [InlineData("cuda:0", "cuda:0")]
    [InlineData("cuda:1", "cuda:1")]
    [InlineData("cpu", "cpu")]
    public void With_gpus_the_first_is_taken_unless_another_is_named(string asked, string expected)
    {
        var chosen = ComputeDevice.Choose(asked, TwoGpus).OrThrow();
        Assert.Equal((expected, ""), (chosen.Name, chosen.Note));
        // The name can be asked for again, as saved commands do.
        Assert.Equal(expected, ComputeDevice.Choose(chosen.Name, TwoGpus).OrThrow().Name);
    }

    [Fact]
    public void Without_a_gpu_auto_is_the_cpu_and_says_why_where_one_was_meant()
    {
        var plain = ComputeDevice.Choose("auto", CpuBuild).OrThrow();
        Assert.Equal(("cpu", ""), (plain.Name, plain.Note));
        foreach (var (facts, why) in new[]
                 {
                     (TwoGpus with { CudaCount = 0 }, "nvidia-smi"),
                     (TwoGpus with { Attempt = _ => "no kernel image is available" }, "no kernel image"),
                     (CpuBuild with { CudaProblem = "libcudart.so.12: cannot open shared object file" }, "libcudart"),
                 })
        {
            var chosen = ComputeDevice.Choose("auto", facts).OrThrow();
            Assert.Equal("cpu", chosen.Name);
            Assert.Contains(why, chosen.Note, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Metal_is_taken_only_when_it_is_named()
    {
        Assert.Equal("cpu", ComputeDevice.Choose("auto", CpuBuild with { MpsAnswers = true }).OrThrow().Name);
        Assert.Equal("mps", ComputeDevice.Choose("mps", CpuBuild with { MpsAnswers = true }).OrThrow().Name);
        Refused("mps", CpuBuild, "Metal", "cpu");
    }

    [Fact]
    public void What_cannot_be_used_is_refused_with_reason_and_way_out()
    {
        Refused("cuda", CpuBuild, "'/opt/torch/lib'", "LibtorchFlavor=cuda", "EDITORBRIDGE_LIBTORCH");
        Refused("cuda:1", CpuBuild with { CudaProblem = "libcudart.so.12: cannot open" }, "libcudart.so.12", "EDITORBRIDGE_LIBTORCH");
        Refused("cuda", TwoGpus with { CudaCount = 0 }, "no NVIDIA GPU", "CUDA_VISIBLE_DEVICES");
        Refused("cuda:2", TwoGpus, "2 GPUs", "cuda:1");
        Refused("cuda:1", TwoGpus with { CudaCount = 1 }, "one GPU", "cuda:0");
        Refused("cuda:0", TwoGpus with { Attempt = _ => "CUDA driver version is insufficient" }, "driver version is insufficient", "cpu");
    }

    [Theory]
    [InlineData("")]
    [InlineData("gpu")]
    [InlineData("CUDA:0")]
    [InlineData("cuda:")]
    [InlineData("cuda:-1")]
    [InlineData("cuda:+1")]
    [InlineData("cuda:99999999999")]
    [InlineData("cuda:0:1")]
    [InlineData("cpu:0")]
    [InlineData("auto:1")]
    public void What_is_no_device_is_named(string asked) => Refused(asked, TwoGpus, "not a device", "cuda:N");

    [Fact]
    public void This_machine_computes_on_its_cpu_and_tells_which_libtorch_does()
    {
        Assert.Same(ComputeDevice.Cpu, ComputeDevice.Choose("cpu").OrThrow());
        ComputeDevice.Cpu.Synchronize();
        Assert.StartsWith(NativeTorch.Expected + ".", NativeTorch.Version, StringComparison.Ordinal);
        Assert.True(Directory.Exists(NativeTorch.Folder), NativeTorch.Folder);
        Assert.Null(DeviceFacts.OfThisMachine().Attempt(CPU));
        var auto = ComputeDevice.Choose("auto").OrThrow();
        if (NativeTorch.HasCuda) return;
        Assert.Equal("cpu", auto.Name);
        Assert.Contains(NativeTorch.Folder, ComputeDevice.Choose("cuda").Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_that_only_fails_at_work_is_found_out()
    {
        // It has shapes and no values: the smallest computation on it gives no number.
        Assert.NotNull(DeviceFacts.OfThisMachine().Attempt(META));
    }

    [Fact]
    public void The_binding_finds_its_functions_in_libtorch_and_not_in_a_part_of_it()
    {
        if (!OperatingSystem.IsLinux()) return;
        var binding = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native", "libLibTorchSharp.so"));
        nint Library(string name) => System.Runtime.InteropServices.NativeLibrary.Load(Path.Combine(NativeTorch.Folder, name));
        Assert.Empty(BindingSymbols.Missing(binding, [Library("libc10.so"), Library("libtorch_cpu.so")]));
        var missing = BindingSymbols.Missing(binding, [Library("libc10.so")]);
        Assert.InRange(missing.Count, 1000, 1300);
        Assert.Contains(missing, name => name.Contains("_ops", StringComparison.Ordinal));
        // What is no library needs nothing, wherever it is cut.
        for (var length = 0; length < binding.Length; length += 150_011) BindingSymbols.Missing(binding.AsSpan(0, length), []);
        Assert.Empty(BindingSymbols.Missing("no library"u8, []));
    }

    private static void Refused(string asked, DeviceFacts facts, params string[] said)
    {
        var problem = ComputeDevice.Choose(asked, facts).Problem;
        Assert.NotNull(problem);
        Assert.Contains($"'{asked}'", problem, StringComparison.Ordinal);
        Assert.EndsWith(".", problem, StringComparison.Ordinal);
        Assert.All(said, part => Assert.Contains(part, problem, StringComparison.Ordinal));
    }
}
