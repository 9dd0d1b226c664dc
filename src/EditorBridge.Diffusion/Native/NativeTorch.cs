using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using TorchSharp;

namespace EditorBridge.Diffusion.Native;

/// <summary>Makes the native networks library (libtorch and TorchSharp's binding to it) load on every supported system.</summary>
/// <remarks>
/// Two things need help. An existing libtorch folder, named by <c>EDITORBRIDGE_LIBTORCH</c>, must be loaded instead of the packaged
/// one; and TorchSharp's Linux binding asks for a newer libstdc++ than Debian 12 and Ubuntu 22.04 have
/// (<see cref="WeakVersionPatch"/>). Both have to happen before the first use of TorchSharp.
/// </remarks>
public static class NativeTorch
{
    /// <summary>Name of the environment variable that names an existing libtorch folder (the one that holds libtorch_cpu).</summary>
    public const string FolderVariable = "EDITORBRIDGE_LIBTORCH";

    private const string Binding = "LibTorchSharp";
    private static readonly Lock Gate = new();
    private static readonly Dictionary<string, nint> Loaded = new(StringComparer.Ordinal);
    private static bool done;

    /// <summary>Loads the native libraries once; later calls return at once. Call it before any use of TorchSharp.</summary>
    /// <exception cref="DllNotFoundException">A library is missing or does not load; the message says which and what to do.</exception>
    public static void Load()
    {
        lock (Gate)
        {
            if (done)
                return;
            LetThreadsSleep();
            LoadTorch();
            LoadBinding();
            // TorchSharp probes by itself (TryLoad) before its first call: that goes through the event. Its P/Invokes go through the
            // resolver, which runs before probing and so spares a failed attempt at the unpatched file.
            AssemblyLoadContext.Default.ResolvingUnmanagedDll += (_, name) => Find(name);
            NativeLibrary.SetDllImportResolver(typeof(torch).Assembly, (name, _, _) => Find(name));
            NativeLibrary.SetDllImportResolver(typeof(NativeTorch).Assembly, (name, _, _) => Find(name));
            done = true;
        }
    }

    [ModuleInitializer]
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Usage", "CA2255", Justification = "Nothing of this assembly works before the native library is there.")]
    internal static void LoadWithModule()
    {
        try
        {
            Load();
        }
        catch (DllNotFoundException)
        {
            // A type initializer exception would hide the sentence. The explicit call at a program's start says it.
        }
    }

    // Threads that wait for each other spin by default. As soon as another program wants a core this costs an order of magnitude: 2.5 s
    // instead of 0.3 s for a forward pass of the smallest model on two shared cores. libgomp reads the variable when it is loaded; .NET's
    // own SetEnvironmentVariable does not reach native code. Whoever has set it, or the spin count, is left alone.
    private static void LetThreadsSleep()
    {
        if (OperatingSystem.IsLinux() && Environment.GetEnvironmentVariable("GOMP_SPINCOUNT") is null)
            _ = setenv("OMP_WAIT_POLICY", "passive", overwrite: 0);
    }

    [DllImport("libc", CharSet = CharSet.Ansi)]
    private static extern int setenv([MarshalAs(UnmanagedType.LPUTF8Str)] string name, [MarshalAs(UnmanagedType.LPUTF8Str)] string value, int overwrite);

    private static nint Find(string name)
    {
        var bare = Path.GetFileName(name);
        foreach (var known in Loaded)
            if (bare == known.Key || bare == FileName(known.Key))
                return known.Value;
        return 0;
    }

    private static void LoadTorch()
    {
        var folder = Environment.GetEnvironmentVariable(FolderVariable);
        var external = !string.IsNullOrEmpty(folder);
        if (external && !File.Exists(Path.Combine(folder!, FileName("torch_cpu"))))
            throw new DllNotFoundException(
                $"{FolderVariable} names the folder '{folder}', but there is no {FileName("torch_cpu")} in it; point it at the 'lib' folder of libtorch 2.10 or unset it.");

        // Later libraries find the earlier ones by soname, so the order is that of their dependencies.
        foreach (var name in (string[])["c10", "torch_cpu", "c10_cuda", "torch_cuda", "torch"])
        {
            var path = external ? Path.Combine(folder!, FileName(name)) : Locate(FileName(name));
            if (path is not null && File.Exists(path))
                Loaded[name] = NativeLibrary.Load(path);
        }
        if (!Loaded.ContainsKey("torch_cpu"))
            throw new DllNotFoundException(
                $"libtorch was not found beside the program; publish with LibtorchFlavor=cpu or cuda, or set {FolderVariable} to a libtorch 2.10 'lib' folder.");
    }

    private static void LoadBinding()
    {
        var path = Locate(FileName(Binding))
            ?? throw new DllNotFoundException($"{FileName(Binding)} was not found beside the program; publish it again.");
        try
        {
            Loaded[Binding] = NativeLibrary.Load(path);
        }
        catch (DllNotFoundException e) when (OperatingSystem.IsLinux() && e.Message.Contains(WeakVersionPatch.Version, StringComparison.Ordinal))
        {
            Loaded[Binding] = NativeLibrary.Load(WeakVersionPatch.CopyFor(path));
        }
    }

    private static string? Locate(string file)
    {
        var folders = new List<string> { AppContext.BaseDirectory };
        if (Path.GetDirectoryName(Assembly.GetExecutingAssembly().Location) is { Length: > 0 } own)
            folders.Add(own);
        foreach (var folder in folders.ToArray())
            folders.Add(Path.Combine(folder, "runtimes", RuntimeInformation.RuntimeIdentifier, "native"));
        if (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") is string probing)
            folders.AddRange(probing.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries));
        return folders.Select(folder => Path.Combine(folder, file)).FirstOrDefault(File.Exists);
    }

    private static string FileName(string name) =>
        OperatingSystem.IsWindows() ? name + ".dll" : OperatingSystem.IsMacOS() ? $"lib{name}.dylib" : $"lib{name}.so";
}
