using System.IO.Pipelines;
using System.IO.Pipes;
using System.Net;
using Microsoft.AspNetCore.Connections;
using PipeOptions = System.IO.Pipes.PipeOptions;

namespace EditorBridge.Host.Tests.Support;

/// <summary>Lets the server listen on named pipes where its own transport for them, which is Windows' alone, does not run; .NET has such pipes everywhere.</summary>
internal sealed class StreamPipeListeners : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public int Accepted { get; private set; }

    public bool CanBind(EndPoint endpoint) => endpoint is NamedPipeEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<IConnectionListener>(new Listener((NamedPipeEndPoint)endpoint, () => Accepted++));

    private sealed class Listener(NamedPipeEndPoint endpoint, Action accepted) : IConnectionListener
    {
        private readonly CancellationTokenSource _unbound = new();
        private NamedPipeServerStream? _next = Open(endpoint);

        public EndPoint EndPoint => endpoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            if (_unbound.IsCancellationRequested) return null;
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _unbound.Token);
            var pipe = _next!;
            try
            {
                await pipe.WaitForConnectionAsync(either.Token);
            }
            catch (OperationCanceledException)
            {
                return null;
            }

            accepted();
            _next = Open(endpoint);
            return new Connection(pipe);
        }

        public async ValueTask UnbindAsync(CancellationToken cancellationToken = default) => await _unbound.CancelAsync();

        public async ValueTask DisposeAsync()
        {
            await _unbound.CancelAsync();
            if (_next is not null) await _next.DisposeAsync();
            _next = null;
        }

        private static NamedPipeServerStream Open(NamedPipeEndPoint endpoint) => new(
            endpoint.PipeName, PipeDirection.InOut, NamedPipeServerStream.MaxAllowedServerInstances, PipeTransmissionMode.Byte,
            PipeOptions.Asynchronous | PipeOptions.CurrentUserOnly);
    }

    private sealed class Connection : DefaultConnectionContext
    {
        private readonly NamedPipeServerStream _pipe;

        public Connection(NamedPipeServerStream pipe)
            : base(Guid.NewGuid().ToString("N"))
        {
            _pipe = pipe;
            Transport = new Duplex(PipeReader.Create(pipe), PipeWriter.Create(pipe));
        }

        public override void Abort(ConnectionAbortedException abortReason) => _pipe.Dispose();

        public override async ValueTask DisposeAsync()
        {
            await _pipe.DisposeAsync();
            await base.DisposeAsync();
        }
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
