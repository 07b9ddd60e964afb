// Files that are dropped anywhere on the page.

/** Calls `take` with the first file of each drop. */
export function onDrop(take) {
  const isFile = ({ dataTransfer }) => dataTransfer?.types.includes('Files')
  const mark = (isOver) => document.documentElement.classList.toggle('dropping', isOver)
  addEventListener('dragover', (event) => {
    if (!isFile(event)) return
    event.preventDefault()
    mark(true)
  })
  addEventListener('dragleave', ({ relatedTarget }) => {
    if (!relatedTarget) mark(false)
  })
  addEventListener('drop', (event) => {
    if (!isFile(event)) return
    event.preventDefault()
    mark(false)
    take(event.dataTransfer.files[0])
  })
}
