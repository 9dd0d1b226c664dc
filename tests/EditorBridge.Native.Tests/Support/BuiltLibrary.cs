using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace EditorBridge.Native.Tests.Support;

/// <summary>The library as it ships, made once a test run, and the programs in C that load it.</summary>
public static class BuiltLibrary
{
    /// <summary>Names a library that was built already, so that none is built.</summary>
    private const string Variable = "EDITORBRIDGE_NATIVE";

    private static readonly Lazy<Task<string>> Made = new(MakeAsync);

    /// <summary>Path of the library.</summary>
    public static Task<string> PathAsync => Made.Value;

    /// <summary>The project's folder.</summary>
    public static string Root => System.IO.Path.GetFullPath(System.IO.Path.Combine(Source(), "..", "..", ".."));

    /// <summary>A file beside these tests' sources.</summary>
    public static string Program(string name) => System.IO.Path.Combine(Source(), "..", "Programs", name);

    /// <summary>Compiles a C program of the tests.</summary>
    /// <param name="name">Its source.</param>
    /// <param name="target">The program to make.</param>
    public static Task CompileAsync(string name, string target) => RunAsync(Find("gcc") is not null ? "gcc" : "clang",
        ["-std=gnu11", "-O1", "-Wall", "-Werror", "-rdynamic", "-I", System.IO.Path.Combine(Root, "src", "EditorBridge.Native"), "-o", target, Program(name), "-ldl", "-lpthread"]);

    /// <summary>Runs a program to its end.</summary>
    /// <returns>What it wrote on standard output.</returns>
    public static async Task<string> RunAsync(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, bool mayFail = false)
    {
        var info = new ProcessStartInfo(program) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments) info.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) info.Environment[name] = value;
        using var process = Process.Start(info)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(15));
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} did not end:\n{await output}\n{await errors}");
        }

        Assert.True(mayFail || process.ExitCode == 0, $"{program} ended with {process.ExitCode}:\n{await output}\n{await errors}");
        return await output;
    }

    public static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(System.IO.Path.PathSeparator)
        .Where(folder => folder.Length > 0).Select(folder => System.IO.Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    private static async Task<string> MakeAsync()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named) return named;
        await RunAsync("bash", [System.IO.Path.Combine(Root, "eng", "native.sh")]);
        return System.IO.Path.Combine(Root, "artifacts", "native", "linux-x64", "libeditorbridge.so");
    }

    private static string Source([CallerFilePath] string source = "") => System.IO.Path.GetDirectoryName(source)!;
}

/// <summary>A test that builds or loads the native library: on Linux with a compiler; in continuous integration a missing one is a failure.</summary>
public sealed class NativeFactAttribute : FactAttribute
{
    public NativeFactAttribute() => Skip = Reason();

    internal static string? Reason() =>
        !OperatingSystem.IsLinux() ? "The native library is built and loaded on Linux only."
        : Environment.GetEnvironmentVariable("CI") != "true" && BuiltLibrary.Find("gcc") is null && BuiltLibrary.Find("clang") is null ? "No C compiler is installed."
        : null;
}

/// <summary>The same with data.</summary>
public sealed class NativeTheoryAttribute : TheoryAttribute
{
    public NativeTheoryAttribute() => Skip = NativeFactAttribute.Reason();
}
