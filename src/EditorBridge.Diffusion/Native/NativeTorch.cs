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

    /// <summary>The libtorch that TorchSharp's binding was built for.</summary>
    public const string Expected = "2.10";

    private const string Binding = "LibTorchSharp";
    private static readonly Lock Gate = new();
    private static readonly Dictionary<string, nint> Loaded = new(StringComparer.Ordinal);
    private static bool done;

    /// <summary>The folder that libtorch was loaded from; "" before <see cref="Load"/>.</summary>
    public static string Folder { get; private set; } = "";

    /// <summary>The version that libtorch itself says it is, such as <c>2.10.0</c>; "" when it does not say.</summary>
    /// <remarks>TorchSharp's <c>torch.__version__</c> is what it was built for, whatever was loaded.</remarks>
    public static string Version { get; private set; } = "";

    /// <summary>Whether libtorch's CUDA part is there and loads; whether a GPU answers is another question.</summary>
    public static bool HasCuda => Loaded.ContainsKey("torch_cuda");

    /// <summary>Why the CUDA part, which is there, does not load; "" when it does, or is not there.</summary>
    public static string CudaProblem { get; private set; } = "";

    /// <summary>Loads the native libraries once; later calls return at once. Call it before any use of TorchSharp.</summary>
    /// <exception cref="DllNotFoundException">A library is missing or does not load; the message says which and what to do.</exception>
    public static void Load()
    {
        lock (Gate)
        {
            if (done)
                return;
            LetThreadsSleep();
            KeepSumsInOrder();
            var external = LoadTorch();
            LoadBinding(external);
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

    // Without it MKL splits sums by where memory happens to lie and how many threads are free, and the same pass differs in its last bits:
    // the same seed would not give the same clip. Read when the library is loaded, so it is set here; whoever has set it is left alone.
    private static void KeepSumsInOrder()
    {
        if (OperatingSystem.IsWindows())
            _ = _putenv_s("MKL_CBWR", Environment.GetEnvironmentVariable("MKL_CBWR") ?? "AUTO");
        else
            _ = setenv("MKL_CBWR", "AUTO", overwrite: 0);
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

    [DllImport("ucrtbase", CharSet = CharSet.Ansi)]
    private static extern int _putenv_s([MarshalAs(UnmanagedType.LPUTF8Str)] string name, [MarshalAs(UnmanagedType.LPUTF8Str)] string value);

    private static nint Find(string name)
    {
        var bare = Path.GetFileName(name);
        foreach (var known in Loaded)
            if (bare == known.Key || bare == FileName(known.Key))
                return known.Value;
        return 0;
    }

    /// <returns>Whether the folder is one that the user named.</returns>
    private static bool LoadTorch()
    {
        var named = Environment.GetEnvironmentVariable(FolderVariable);
        var external = !string.IsNullOrWhiteSpace(named);
        if (external)
        {
            Folder = LibraryFolder(named!);
            // Parts that CUDA looks for by name when they are needed are found there as well.
            if (OperatingSystem.IsWindows())
                Environment.SetEnvironmentVariable("PATH", Folder + Path.PathSeparator + Environment.GetEnvironmentVariable("PATH"));
        }
        else
        {
            Folder = Path.GetDirectoryName(Locate(FileName("torch_cpu"))) ?? throw new DllNotFoundException(
                $"libtorch was not found beside the program; publish with LibtorchFlavor=cpu or cuda, or set {FolderVariable} to a libtorch {Expected} 'lib' folder.");
        }

        // Later libraries find the earlier ones by soname, so the order is that of their dependencies.
        foreach (var name in (string[])["c10", "torch_cpu", "c10_cuda", "torch_cuda", "torch"])
        {
            var path = Path.Combine(Folder, FileName(name));
            if (!File.Exists(path))
                continue;
            try
            {
                Loaded[name] = NativeLibrary.Load(path);
            }
            catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
            {
                // Without CUDA the rest may work, on the CPU.
                if (name.EndsWith("_cuda", StringComparison.Ordinal))
                    CudaProblem = FirstLine(e.Message);
                else
                    throw new DllNotFoundException($"{Named(external)} holds a {FileName(name)} that does not load ({FirstLine(e.Message)}); {WayOut(external)}.", e);
            }
        }

        Version = LibtorchVersion.Of(Loaded["torch_cpu"]);
        return external;
    }

    private static string LibraryFolder(string named)
    {
        if (!Directory.Exists(named))
            throw new DllNotFoundException($"{FolderVariable} names the folder '{named}', which does not exist; {WayOut(external: true)}.");
        // People name libtorch itself as well as its 'lib'.
        return new[] { named, Path.Combine(named, "lib") }.FirstOrDefault(folder => File.Exists(Path.Combine(folder, FileName("torch_cpu")))) is { } folder
            ? Path.GetFullPath(folder)
            : throw new DllNotFoundException($"{FolderVariable} names the folder '{named}', but there is no {FileName("torch_cpu")} in it; {WayOut(external: true)}.");
    }

    private static void LoadBinding(bool external)
    {
        var path = Locate(FileName(Binding))
            ?? throw new DllNotFoundException($"{FileName(Binding)} was not found beside the program; publish it again.");
        if (external)
            CheckFit(path);
        try
        {
            Loaded[Binding] = NativeLibrary.Load(path);
        }
        catch (DllNotFoundException e) when (OperatingSystem.IsLinux() && e.Message.Contains(WeakVersionPatch.Version, StringComparison.Ordinal))
        {
            Loaded[Binding] = NativeLibrary.Load(WeakVersionPatch.CopyFor(path));
        }
    }

    // A function that is missing would end the process when it is first called, hours into a job.
    private static void CheckFit(string binding)
    {
        var missing = BindingSymbols.Missing(File.ReadAllBytes(binding), [.. Loaded.Values]);
        if (missing.Count == 0)
            return;
        var which = Version.Length > 0 ? $"is libtorch {Version}, not {Expected}" : $"is not libtorch {Expected}";
        throw new DllNotFoundException(
            $"{Named(true)} {which}: it lacks {missing.Count} of the functions that TorchSharp calls (such as {missing[0]}); {WayOut(external: true)}.");
    }

    private static string Named(bool external) => external ? $"{FolderVariable} names the folder '{Folder}', which" : $"The program's folder '{Folder}'";

    private static string WayOut(bool external) => external ? $"name the 'lib' folder of libtorch {Expected}, or unset {FolderVariable}" : "publish the program again";

    private static string FirstLine(string text) => text.Split('\n', 2)[0].Trim();

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
