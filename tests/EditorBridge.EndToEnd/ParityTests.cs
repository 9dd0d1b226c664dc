using System.Runtime.CompilerServices;
using System.Text.Json;
using EditorBridge.Tests.Shared;

namespace EditorBridge.EndToEnd;

/// <summary>`editorbridge parity` on a few of the golden files that the networks' own tests use.</summary>
[Trait("Speed", "slow")]
public sealed class ParityTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly CliProgram cli;

    public ParityTests()
    {
        cli = new CliProgram(folder.File("data"));
        foreach (var file in (string[])["vae22/weights.config.json", "vae22/weights.diffusers.safetensors", "vae22/decode_f1.safetensors", "schedulers/unipc_shift3_steps4.safetensors"])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(folder.File("goldens/" + file))!);
            File.Copy(Path.Combine(Goldens(), file), folder.File("goldens/" + file));
        }
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Says_a_line_for_every_file()
    {
        var result = await cli.RunAsync("parity", folder.File("goldens"), "--json");
        Assert.True(result.ExitCode == 0, string.Join('\n', result.Errors));
        var lines = result.Output.Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal(["schedulers/unipc_shift3_steps4", "vae22/decode_f1"], lines.Select(line => line.GetProperty("case").GetString()));
        Assert.All(lines, line =>
        {
            Assert.Equal(["case", "worst", "tolerance", "pass"], line.EnumerateObject().Select(member => member.Name));
            Assert.True(line.GetProperty("pass").GetBoolean());
            Assert.InRange(line.GetProperty("worst").GetDouble(), 0, line.GetProperty("tolerance").GetDouble());
        });

        var text = await cli.RunAsync("parity", folder.File("goldens"));
        Assert.Equal(0, text.ExitCode);
        Assert.Contains(text.Output, line => line.StartsWith("pass  vae22/decode_f1", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Fails_when_a_number_differs_or_a_file_was_not_run()
    {
        var path = folder.File("goldens/vae22/decode_f1.safetensors");
        var bytes = File.ReadAllBytes(path);
        BitConverter.TryWriteBytes(bytes.AsSpan(bytes.Length - 4), 3f);
        File.WriteAllBytes(path, bytes);
        File.WriteAllBytes(folder.File("goldens/schedulers/cut_off.safetensors"), bytes[..100]);

        var result = await cli.RunAsync("parity", folder.File("goldens"), "--json");
        Assert.Equal(1, result.ExitCode);
        var lines = result.Output.Select(line => JsonDocument.Parse(line).RootElement).ToDictionary(line => line.GetProperty("case").GetString()!);
        Assert.True(lines["schedulers/unipc_shift3_steps4"].GetProperty("pass").GetBoolean());
        Assert.False(lines["vae22/decode_f1"].GetProperty("pass").GetBoolean());
        Assert.Contains("out.video", lines["vae22/decode_f1"].GetProperty("problem").GetString());
        Assert.False(lines["schedulers/cut_off"].GetProperty("pass").GetBoolean());
        Assert.Contains("2 of 3 cases", Assert.Single(result.Errors));
    }

    [Fact]
    public async Task A_folder_without_golden_files_is_refused()
    {
        Directory.CreateDirectory(folder.File("empty"));
        foreach (var name in (string[])["empty", "nowhere"])
        {
            var result = await cli.RunAsync("parity", folder.File(name));
            Assert.Equal(1, result.ExitCode);
            Assert.Contains(name, Assert.Single(result.Errors));
        }
    }

    private static string Goldens([CallerFilePath] string source = "") => Path.Combine(Path.GetDirectoryName(source)!, "..", "EditorBridge.Diffusion.Tests", "Data");
}
