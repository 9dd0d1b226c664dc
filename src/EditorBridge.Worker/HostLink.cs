using EditorBridge.Protocol.Worker.V1;
using Google.Protobuf;

namespace EditorBridge.Worker;

/// <summary>The worker's end of the pipe to the host. Any thread may speak.</summary>
internal sealed class HostLink(Stream output)
{
    private readonly Lock _writing = new();

    /// <summary>Says something. When the host is gone it is lost; the reader sees that as well and ends the process.</summary>
    public void Send(WorkerMessage message)
    {
        try
        {
            lock (_writing)
            {
                message.WriteDelimitedTo(output);
                output.Flush();
            }
        }
        catch (IOException)
        {
        }
    }
}
